"""The relay: takes what waits in an agency's outbox to its inboxes, exactly once, in order for each subject.

One turn of a slot: in one database transaction what the turn before has written is marked as sent, the next rows are
read and judged, and noted as the batch that is being written; then they are written in one Kafka transaction whose
token is the batch's id. A relay that takes a slot over learns from the token whether the noted batch was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

import structlog

from producers.outbox import metrics, slots
from producers.outbox.database import Connection, said_by_class
from producers.outbox.judge import Judge, Judged
from producers.outbox.rows import read_waiting
from producers.outbox.upkeep import read_status
from tidings.clock import Clock
from tidings.errors import Fatal, Retriable
from tidings.kafka.errors import Fenced
from tidings.kafka.write_once import Record, Undecided
from tidings.metrics import MetricStore

_log = structlog.get_logger(__name__)


class BatchWriter(Protocol):
    """What a slot writes through: `tidings.kafka.write_once.OnceWriter`. There is one holder of a name, the newest."""

    def position(self) -> str | None:
        """The token of the last committed transaction of this name, whoever wrote it."""
        ...

    def write(self, records: Iterable[Record], token: str) -> None:
        """Write records and token in one transaction; returns once it is committed."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """How a relay works. A batch is closed by rows or by bytes of JSON, whichever comes first; `wait_seconds` is how
    long it waits for a wake-up before it looks by itself, `look_seconds` how often it looks whether slots are shared
    evenly, `lag_seconds` how often the lag is counted. With `until_empty` it ends when no row is left to it."""

    batch_max_rows: int = 4_000
    batch_max_bytes: int = 16_000_000
    wait_seconds: float = 1.0
    look_seconds: float = 1.0
    lag_seconds: float = 10.0
    until_empty: bool = False


class _Lost(Exception):
    """The slot is another relay's now."""


class Relay:
    """One relay over one connection. `run` it; after an error it is used no more.

    Who calls: `run_relay`, in one thread. May it block: in the database and the broker, for their time-outs. May it
    raise: Retriable (begin again with a new connection: nothing is lost or doubled by that), Fatal. What holds
    afterwards: every row is waiting, noted as being written, sent or refused; a noted one is settled by the next owner.
    """

    def __init__(
        self,
        connection: Connection,
        judge: Judge,
        open_writer: Callable[[str], BatchWriter],
        clock: Clock,
        store: MetricStore,
        settings: RelaySettings | None = None,
        probe: Callable[[str], None] = lambda _step: None,
        held: metrics.HeldSlots | None = None,
    ) -> None:
        self._connection = connection
        self._judge = judge
        self._open_writer = open_writer
        self._clock = clock
        self._store = store
        self._held = held or metrics.HeldSlots(store)
        self._settings = settings or RelaySettings()
        self._probe = probe
        self._slots: dict[int, SlotWork] = {}
        self._looked_at = self._counted_at = float("-inf")
        with said_by_class("entering the outbox"):
            self._relay = slots.enter(connection)

    def run(self, going_on: Callable[[], bool]) -> None:
        """Relay rows until `going_on` says no; then what was written is marked, and the slots are given up."""
        while going_on():
            self._share()
            self._count_lag()
            read = sum([self._turn(work, self._settings.batch_max_rows) for work in list(self._slots.values())])
            if read:
                continue
            if self._settings.until_empty and self._is_empty():
                break
            self._wait()
        for work in list(self._slots.values()):
            self._give_up(work)

    def close(self) -> None:
        """Close the writers; what is open in them is aborted."""
        for work in self._slots.values():
            work.close()
        self._slots.clear()
        self._held.gone(self._relay)

    def _turn(self, work: SlotWork, max_rows: int) -> int:
        """One turn of a slot. Returns how many rows were read."""
        began = self._clock.monotonic()
        try:
            judged = work.turn(max_rows)
        except _Lost:
            self._drop(work)
            return 0
        if judged is None:
            return 0
        for name, count in judged.sent_by_type.items():
            self._store.add(metrics.ROWS, count, name, "sent")
        for name, count in judged.refused_by_type.items():
            self._store.add(metrics.ROWS, count, name, "refused")
        for (name, code), count in judged.reasons.items():
            self._store.add(metrics.REFUSALS, count, name, code)
        read = len(judged.rows) + len(judged.refused)
        self._store.observe(metrics.BATCH_ROWS, [read])
        self._store.observe(metrics.BATCH_SECONDS, [self._clock.monotonic() - began])
        if judged.refused:
            _log.warning("rows refused", slot=work.slot, count=len(judged.refused))
        return read

    def _share(self) -> None:
        """Take slots that nobody has up to this relay's share, and give up what it has beyond it."""
        now = self._clock.monotonic()
        if now - self._looked_at < self._settings.look_seconds:
            return
        self._looked_at = now
        with said_by_class("looking at the slots"):
            self._forget_wakes()
            share = slots.share_of(self._relay, slots.look(self._connection))
            while len(self._slots) < share:
                found = slots.take(self._connection, self._relay, list(self._slots))
                if found is None:
                    break
                self._slots[found[0]] = self._work(*found)
                _log.info("slot taken", slot=found[0])
        for work in list(self._slots.values())[share:]:
            self._give_up(work)
        self._held.say(self._relay, len(self._slots))

    def _work(self, slot: int, writer: str) -> SlotWork:
        return SlotWork(
            self._connection,
            self._relay,
            slot,
            self._judge,
            lambda: self._open_writer(writer),
            self._settings.batch_max_bytes,
            self._probe,
        )

    def _give_up(self, work: SlotWork) -> None:
        self._turn(work, 0)  # marks what was written
        if work.slot in self._slots:
            with said_by_class("giving up a slot"):
                slots.release(self._connection, self._relay, work.slot)
            self._drop(work)

    def _drop(self, work: SlotWork) -> None:
        work.close()
        del self._slots[work.slot]
        _log.info("slot left", slot=work.slot)

    def _count_lag(self) -> None:
        now = self._clock.monotonic()
        if now - self._counted_at < self._settings.lag_seconds:
            return
        self._counted_at = now
        status = read_status(self._connection, 0)
        self._store.set(metrics.LAG_ROWS, status.waiting_rows)
        self._store.set(metrics.LAG_SECONDS, status.waiting_seconds)
        self._store.set(metrics.REFUSED_ROWS, status.refused_rows)

    def _is_empty(self) -> bool:
        with said_by_class("looking at the slots"):
            return not any(each.busy for each in slots.look(self._connection).slots)

    def _wait(self) -> None:
        """Until rows are written, or for a second."""
        with said_by_class("waiting for rows"):
            for _ in self._connection.notifies(timeout=self._settings.wait_seconds, stop_after=1):
                break
            self._forget_wakes()

    def _forget_wakes(self) -> None:
        """Of what came while nobody waited, no more is wanted than that something came: the client keeps each."""
        for _ in self._connection.notifies(timeout=0):
            pass


class SlotWork:
    """One slot of this relay's. Its writer is opened when there is something to do, which takes the name over from
    whoever wrote under it before."""

    def __init__(
        self,
        connection: Connection,
        relay: int,
        slot: int,
        judge: Judge,
        open_writer: Callable[[], BatchWriter],
        max_bytes: int,
        probe: Callable[[str], None],
    ) -> None:
        self.slot = slot
        self._connection = connection
        self._relay = relay
        self._judge = judge
        self._open_writer = open_writer
        self._max_bytes = max_bytes
        self._probe = probe
        self._writer: BatchWriter | None = None
        self._written: str | None = None
        """The token of the last committed transaction, true while the writer is open."""

    def turn(self, max_rows: int) -> Judged | None:
        """Settle the batch before, then write at most `max_rows` of what waits. Returns what became of them; None where
        there was nothing to do. Raises _Lost, Retriable, Fatal."""
        with said_by_class("looking at a slot"):
            if not slots.is_busy(self._connection, self.slot):
                return None
        if self._writer is None:
            self._writer = self._open_writer()
            self._written = self._writer.position()
        batch_id = uuid4()
        with said_by_class("reading rows"), self._connection.transaction():
            held = slots.hold(self._connection, self._relay, self.slot)
            if held is None:
                raise _Lost
            if held.batch_id is not None and str(held.batch_id) == self._written:
                slots.mark_sent(self._connection, held)
            waiting = read_waiting(self._connection, self.slot, max_rows, self._max_bytes)
            judged = self._judge.judge(waiting.rows)
            if waiting.gone:
                slots.forget(self._connection, held, waiting.gone)
            if judged.refused:
                slots.mark_refused(self._connection, held, judged.refused)
            if judged.flagged:
                slots.mark_flags(self._connection, judged.flagged)
            slots.begin_batch(self._connection, held, batch_id if judged.rows else None, judged.rows)
        self._probe("noted")
        if judged.rows:
            self._write(self._writer, judged, str(batch_id))
        self._probe("written")
        return judged

    def close(self) -> None:
        """Close the writer."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, writer: BatchWriter, judged: Judged, token: str) -> None:
        try:
            writer.write(judged.records, token)
        except Undecided as failure:
            raise Retriable(str(failure)) from None  # a new writer will know
        except Fatal as failure:
            # Was the name taken over together with the slot? Then this relay goes on without it.
            with said_by_class("looking at a slot"), self._connection.transaction():
                if slots.hold(self._connection, self._relay, self.slot) is None:
                    raise _Lost from None
            if not isinstance(failure, Fenced):
                raise
            # By a client of our own, given up while a broker restarted, whose last question was answered after all.
            fenced = Retriable(str(failure))
        else:
            self._written = token
            return
        raise fenced
