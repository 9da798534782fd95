"""A broker and its exactly-once loop in memory, for any `tidings.log.Handler`.

As on Kafka: a transaction's marker and an aborted record take offsets that no reader sees, offsets and anchors are
committed with the messages or not at all, and a reader sees committed records only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tidings.clock import StillClock
from tidings.decisions import GENESIS, Anchor, anchor_text
from tidings.log import Handler, InboxRecord, Message, Partition, Position, Transaction


class MemoryLog:
    """Topics, committed offsets and anchors."""

    def __init__(self, clock: StillClock, partition_counts: dict[str, int]) -> None:
        self.clock = clock
        self.partition_counts = partition_counts
        self._records: dict[Partition, list[InboxRecord]] = {}
        self._ends: dict[Partition, int] = {}
        self.positions: dict[Partition, Position] = {}

    def partitions(self, topic: str) -> list[Partition]:
        """See `LogReader.partitions`."""
        return [Partition(topic, number) for number in range(self.partition_counts[topic])]

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """See `LogReader.ends`."""
        return {each: self._ends.get(each, 0) for each in partitions}

    def read_range(self, partition: Partition, first: int, end: int) -> Iterator[InboxRecord]:
        """See `LogReader.read_range`."""
        return (each for each in self._records.get(partition, []) if first <= each.offset < end)

    def record_at(self, partition: Partition, offset: int) -> InboxRecord | None:
        """See `LogReader.record_at`."""
        return next(iter(self.read_range(partition, offset, offset + 1)), None)

    def all(self, topic: str) -> list[InboxRecord]:
        """Every committed record of a topic, partition by partition."""
        return [record for where in sorted(self._records) if where.topic == topic for record in self._records[where]]

    def topics(self) -> set[str]:
        """Every topic that holds a record."""
        return {where.topic for where, records in self._records.items() if records}

    def append(self, message: Message) -> int:
        """Write one committed record. Returns its offset."""
        where = Partition(message.topic, message.partition)
        assert 0 <= message.partition < self.partition_counts[message.topic], message.topic
        offset = self._ends.get(where, 0)
        record = InboxRecord(*where, offset, self.clock.now_ms(), message.key, message.value)
        self._records.setdefault(where, []).append(record)
        self._ends[where] = offset + 1
        return offset

    def gap(self, where: Partition, offsets: int = 1) -> None:
        """Use offsets up without a record: markers, aborted records."""
        self._ends[where] = self._ends.get(where, 0) + offsets

    def open_inbox(self, topic: str) -> None:
        """What `tidings apply` does: commit offset 0 with the anchor `genesis`."""
        for where in self.partitions(topic):
            self.positions[where] = Position(where, 0, GENESIS)

    def abort(self, work: Transaction) -> None:
        """The transaction's records are never seen, yet have used offsets up."""
        for message in self._written(work):
            self.gap(Partition(message.topic, message.partition))

    def commit(self, work: Transaction) -> dict[Partition, str]:
        """The whole transaction at once. Returns the anchors, as the loop would give them to the handler."""
        for run in work.runs:
            run.send(self._produced)
        for message in work.messages:
            self.append(message)
        anchors: dict[Partition, str] = {}
        for owner, parts in work.blocks.items():
            for part in parts:
                anchors[owner] = anchor_text(Anchor(part.partition, self.append(part)))
        for where in {Partition(message.topic, message.partition) for message in self._written(work)}:
            self.gap(where)
        for partition, offset in work.offsets.items():
            anchor = anchors.get(partition, self.positions[partition].anchor)
            self.positions[partition] = Position(partition, offset, anchor)
            anchors[partition] = anchor
        return anchors

    @staticmethod
    def _written(work: Transaction) -> list[Message]:
        runs = (message for run in work.runs for message in run)
        return [*runs, *work.messages, *(part for parts in work.blocks.values() for part in parts)]

    def _produced(self, topic: str, value: bytes | None, key: bytes | None, partition: int) -> None:
        self.append(Message(topic, partition, key, value))


class Fate(Enum):
    """How a transaction ends."""

    COMMIT = "commit"
    ABORT = "abort"
    CRASH_BEFORE = "crash before the commit"
    CRASH_AFTER = "crash after the commit, before the handler hears of it"


@dataclass
class MemoryLoop:
    """Drives a handler as the loop on the broker does. `make` makes a new handler after a crash; `reads` says which
    partitions its group has."""

    log: MemoryLog
    make: Callable[[], Handler]
    reads: Callable[[Partition], bool] = lambda _partition: True
    handler: Handler = field(init=False)
    _read: dict[Partition, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new worker takes every partition over."""
        self.handler = self.make()
        self.take([each for each in sorted(self.log.positions) if self.reads(each)])

    def take(self, partitions: Sequence[Partition]) -> None:
        """Assign partitions."""
        positions = [self.log.positions[each] for each in partitions]
        self.handler.take(positions)
        self._read.update({each.partition: each.offset for each in positions})

    def turn(self, limit: int = 100, fate: Fate = Fate.COMMIT) -> int:
        """One turn: idle, then one batch of at most `limit` records. Returns how many were decided."""
        switch = self.handler.idle(self.log.clock.now_ms())
        if switch is not None:
            self._transact(switch, fate)
            if fate is not Fate.COMMIT:
                return 0
        records = self._poll(limit)
        if not records:
            return 0
        work = self.handler.decide(records, self.log.clock.now_ms())
        due = {Partition(record.topic, record.partition): record.offset + 1 for record in records}
        assert work.offsets == due
        self._transact(work, fate)
        return len(records)

    def drain(self, limit: int = 100) -> None:
        """Turns until nothing is left."""
        while self.turn(limit):
            pass

    def _transact(self, work: Transaction, fate: Fate) -> None:
        if fate in {Fate.ABORT, Fate.CRASH_BEFORE}:
            self.log.abort(work)
        if fate is Fate.ABORT:
            self.handler.aborted()
        elif fate is Fate.CRASH_BEFORE:
            self.restart()
        else:
            anchors = self.log.commit(work)
            if fate is Fate.CRASH_AFTER:
                self.restart()
            else:
                self._read.update(work.offsets)
                self.handler.committed(anchors)

    def _poll(self, limit: int) -> list[InboxRecord]:
        records: list[InboxRecord] = []
        for where, first in sorted(self._read.items()):
            end = self.log.ends([where])[where]
            records += list(self.log.read_range(where, first, end))[: limit - len(records)]
        return records
