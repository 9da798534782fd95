"""Which partitions this worker owns, and where each was left. The loop's thread alone calls it, from within a poll.

Taking a partition: read its committed offset and anchor, let the handler rebuild, start fetching at that offset. Giving
it up: the handler forgets it. Either sets `changed`, upon which the loop trusts no record that it holds: a record that
was returned by one poll survives a revocation that the next poll serves, and would be delivered twice.
"""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tidings.clock import Clock, Deadline
from tidings.errors import Fatal, Retriable, TidingsError
from tidings.kafka.errors import error_of, translate
from tidings.kafka.retry import attempt, retry
from tidings.kafka.settings import LoopSettings
from tidings.log import Handler, Partition, Position

COMMITTED_CALL_S = 10.0
SEEK_BUDGET_S = 10.0


class Assignment:
    """The owned partitions, each with its next offset to decide and the anchor committed last."""

    def __init__(self, handler: Handler, settings: LoopSettings, clock: Clock) -> None:
        self._handler = handler
        self._settings = settings
        self._clock = clock
        self.positions: dict[Partition, Position] = {}
        self.changed = False
        self.taken = 0
        self._failure: TidingsError | None = None

    def check(self) -> None:
        """Raise what failed within a callback, where an exception would otherwise be lost in the client."""
        if self._failure is not None:
            raise self._failure

    def on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The client's callback: take `partitions` and start fetching each at its committed offset."""
        self.changed = True
        try:
            taken = self._take(consumer, partitions)
            attempt(lambda: start_fetching(consumer, taken), "assigning partitions")
        except TidingsError as failure:
            self._failure = failure
            return
        self.positions.update({position.partition: position for position in taken})
        self.taken += 1

    def on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The client's callback, also for lost partitions: forget them. No transaction is open while it runs."""
        self.changed = True
        given = [Partition(each.topic, each.partition) for each in partitions]
        for partition in given:
            self.positions.pop(partition, None)
        self._handler.give(given)

    def finish(self, offsets: dict[Partition, int], anchors: dict[Partition, str]) -> None:
        """A transaction is committed: move each partition on to its next offset and anchor."""
        for partition, offset in offsets.items():
            self.positions[partition] = Position(partition, offset, anchors[partition])

    def rewind(self, consumer: Consumer, partitions: Iterable[Partition]) -> None:
        """Read the owned ones of `partitions` again from their next offset to decide.

        The offset is the one in memory: `committed()` may be unset or time out, and then the batch would be lost.
        Raises Fatal where the client cannot seek.
        """
        for partition in partitions:
            position = self.positions.get(partition)
            if position is None:
                continue
            target = TopicPartition(partition.topic, partition.partition, position.offset)
            deadline = Deadline(self._clock, SEEK_BUDGET_S)
            try:
                retry(lambda target=target: seek(consumer, target), "seeking", deadline, self._clock)  # type: ignore[misc]
            except Retriable as failure:
                raise Fatal(str(failure)) from None

    def _take(self, consumer: Consumer, partitions: list[TopicPartition]) -> list[Position]:
        if not partitions:
            return []
        deadline = Deadline(self._clock, self._settings.take_budget_ms / 1000)
        committed = retry(
            lambda: read_committed_offsets(consumer, partitions), "reading offsets", deadline, self._clock
        )
        missing = [f"{each.topic}/{each.partition}" for each in committed if each.offset < 0]
        if missing:
            raise Fatal(f"no committed offset for {', '.join(sorted(missing))}: `tidings apply` commits the first")
        positions = [
            Position(Partition(each.topic, each.partition), each.offset, each.metadata or "") for each in committed
        ]
        retry(lambda: self._handler.take(positions), "taking partitions", deadline, self._clock)
        return positions


def read_committed_offsets(consumer: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
    """The committed offset and metadata of each partition; a transaction still open on them is waited for."""
    committed = consumer.committed(partitions, timeout=COMMITTED_CALL_S)
    for each in committed:
        if each.error is not None:
            raise translate(each.error, "reading offsets")
    return committed


def start_fetching(consumer: Consumer, positions: list[Position]) -> None:
    """Add partitions to the assignment, each at its own offset (both group protocols are incremental)."""
    consumer.incremental_assign(
        [TopicPartition(each.partition.topic, each.partition.partition, each.offset) for each in positions]
    )


def seek(consumer: Consumer, target: TopicPartition) -> None:
    """Seek one partition. Raises Retriable while its fetcher is still starting (`_STATE`)."""
    try:
        consumer.seek(target)
    except KafkaException as exception:
        error = error_of(exception)
    else:
        return
    if error.name() == "_STATE":
        raise Retriable("seeking: the partition is not yet being fetched")
    raise translate(error, "seeking")
