"""Bounded reads, read_committed: a range of a partition, one record, or a topic up to its end.

"The end" is the high watermark when the read begins, transactions still open included: a read waits for these to end
(the broker sees to that within their time-out), so that nothing begun before the read is missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka import Message as Polled
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from tidings.clock import Clock, Deadline, SystemClock
from tidings.closing import Closing
from tidings.errors import Fatal, Retriable
from tidings.kafka.clients import ClientSettings
from tidings.kafka.errors import error_of, translate
from tidings.kafka.polling import record_of
from tidings.kafka.retry import answer, attempt, retry
from tidings.log import InboxRecord, Partition

CALL_S = 10.0
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client's stubs leave it out
_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # likewise
DRAIN_EVENTS = 5_000
# Longer than any transaction's time-out: an open one ends before this.
QUIET_BUDGET_S = 30.0


class LogReader(Closing):
    """Reads as `principal`, outside any group; commits nothing. Not for several threads. Close it, or use `with`."""

    def __init__(self, cluster: ClientSettings, principal: str, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        config = {
            # The group is a name that the client insists on: it is never joined.
            **cluster.consumer_config(principal, f"{principal}.reads"),
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.queue.backoff.ms": 5,
            # A partition that ends in a commit marker is known to be at its end only once a fetch comes back empty.
            "fetch.wait.max.ms": 10,
            # Errors are raised; a connection that is closed while it is made would also be logged.
            "log_level": 0,
        }
        self._consumer = Consumer(config)
        # Nobody polls an AdminClient: what it logs would only pile up.
        self._admin = AdminClient(cluster.client_config(principal) | {"log_level": 0})
        self._known: set[str] = set()

    def close(self) -> None:
        """Let the connections go."""
        self._consumer.close()

    def partitions(self, topic: str) -> list[Partition]:
        """The partitions of `topic`, in order. Raises Fatal where there is no such topic."""
        metadata = attempt(lambda: self._consumer.list_topics(topic, timeout=CALL_S), f"asking for {topic}").topics[
            topic
        ]
        if metadata.error is not None:
            raise translate(metadata.error, f"asking for {topic}")
        self._known.add(topic)
        return [Partition(topic, number) for number in sorted(metadata.partitions)]

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The high watermark of each partition, open transactions included."""
        return self._offsets(partitions, _LATEST)

    def starts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The first offset that each partition still holds."""
        return self._offsets(partitions, _EARLIEST)

    def read_range(self, partition: Partition, first: int, end: int) -> Iterator[InboxRecord]:
        """The committed records of `partition` in [`first`, `end`), in order, from where the log still has them.

        Raises Retriable where the broker stays silent, or a transaction open, for the whole budget.
        """
        start = max(first, self.starts([partition])[partition])
        yield from self._read({partition: (start, end)})

    def record_at(self, partition: Partition, offset: int) -> InboxRecord | None:
        """The committed record at exactly `offset`, or None where there is none (never written, aborted, expired)."""
        if offset >= self.ends([partition])[partition]:
            return None
        return next((each for each in self.read_range(partition, offset, offset + 1) if each.offset == offset), None)

    def read_to_end(self, topic: str) -> Iterator[InboxRecord]:
        """All committed records of `topic` up to its end as of now; in order within each partition."""
        yield from self.read_all_to_end([topic])

    def read_all_to_end(self, topics: Iterable[str]) -> Iterator[InboxRecord]:
        """All committed records of `topics` up to their ends as of now; in order within each partition only."""
        partitions = [partition for topic in topics for partition in self.partitions(topic)]
        starts, ends = self.starts(partitions), self.ends(partitions)
        yield from self._read({each: (starts[each], ends[each]) for each in partitions})

    def _offsets(self, partitions: Iterable[Partition], spec: OffsetSpec) -> dict[Partition, int]:
        """The broker of a topic that was just made answers NOT_LEADER for a moment: asked again, within one budget."""
        asked = {TopicPartition(each.topic, each.partition): spec for each in partitions}
        deadline = Deadline(self._clock, CALL_S)
        if not asked:
            return {}
        return retry(lambda: self._asked_of_leaders(asked), "asking for offsets", deadline, self._clock)

    def _asked_of_leaders(self, asked: dict[TopicPartition, OffsetSpec]) -> dict[Partition, int]:
        """The client asks whom it took for the leader before, and learns of no other by the refusal: it is told to."""
        try:
            return self._ask_offsets(asked)
        except Retriable:
            for topic in {each.topic for each in asked}:
                self._learn_leaders(topic)
            raise

    def _learn_leaders(self, topic: str) -> None:
        attempt(lambda: self._admin.list_topics(topic, timeout=CALL_S), f"asking for {topic}")

    def _ask_offsets(self, asked: dict[TopicPartition, OffsetSpec]) -> dict[Partition, int]:
        futures = attempt(
            lambda: self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=CALL_S
            ),
            "asking for offsets",
        )
        found: dict[Partition, int] = {}
        for each, future in futures.items():
            doing = f"asking for offsets of {each.topic}"
            result = attempt(lambda future=future, doing=doing: answer(future, CALL_S, doing), doing)  # type: ignore[misc]
            found[Partition(each.topic, each.partition)] = result.offset
        return found

    def _read(self, ranges: dict[Partition, tuple[int, int]]) -> Iterator[InboxRecord]:
        left = {partition: end for partition, (first, end) in ranges.items() if first < end}
        if not left:
            return
        for topic in {each.topic for each in left} - self._known:
            self.partitions(topic)  # a topic whose leaders were never asked for is fetched a second later
        self._consumer.assign([TopicPartition(each.topic, each.partition, ranges[each][0]) for each in left])
        try:
            quiet = Deadline(self._clock, QUIET_BUDGET_S)
            while left:
                polled = self._poll(quiet)
                if polled:
                    quiet = Deadline(self._clock, QUIET_BUDGET_S)
                for message in polled:
                    yield from self._take(message, left)
        finally:
            self._consumer.unassign()

    def _poll(self, quiet: Deadline) -> list[Polled]:
        """One message waited for, then what is there. Raises Retriable once `quiet` is used up."""
        try:
            first = self._consumer.poll(min(1.0, quiet.remaining()))
            if first is not None:
                return [first, *self._consumer.consume(DRAIN_EVENTS, 0)]
        except KafkaException as exception:
            failure = translate(error_of(exception), "reading")
            raise failure from None
        if quiet.expired():
            raise Retriable("reading: nothing came, or a transaction stayed open, for the whole budget")
        return []

    def _take(self, message: Polled, left: dict[Partition, int]) -> Iterator[InboxRecord]:
        error = message.error()
        where = Partition(message.topic() or "", -1 if message.partition() is None else int(message.partition() or 0))
        if error is not None:
            if error.name() == "_PARTITION_EOF":
                if where in left and (message.offset() or 0) >= left[where]:
                    self._finish(where, left)
                return
            failure = translate(error, f"reading {where.topic}")
            if isinstance(failure, Fatal):
                raise failure
            return
        if where not in left:
            return
        record = record_of(message)
        if record.offset < left[where]:
            yield record
        if record.offset + 1 >= left[where]:
            self._finish(where, left)

    def _finish(self, partition: Partition, left: dict[Partition, int]) -> None:
        del left[partition]
        if left:
            self._consumer.incremental_unassign([TopicPartition(partition.topic, partition.partition)])


def read_to_end(cluster: ClientSettings, principal: str, topic: str) -> Iterator[InboxRecord]:
    """All committed records of `topic` up to its end as of now, read as `principal`."""
    with LogReader(cluster, principal) as reader:
        yield from reader.read_to_end(topic)
