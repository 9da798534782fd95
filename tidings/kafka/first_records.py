"""The first committed record at or after an offset, for many partitions at once: what a group would read next."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka import Message as Polled

from tidings.clock import Clock, Deadline, SystemClock
from tidings.closing import Closing
from tidings.errors import Fatal, Retriable
from tidings.kafka.clients import ClientSettings
from tidings.kafka.errors import translate
from tidings.kafka.polling import record_of
from tidings.kafka.retry import attempt
from tidings.log import InboxRecord, Partition

BUDGET_S = 15.0
_DRAIN_RECORDS = 1_000


class FirstRecords(Closing):
    """Reads as `principal`, read_committed, outside any group, commits nothing. For one thread. Close it."""

    def __init__(self, cluster: ClientSettings, principal: str, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        config = {
            # The group is a name that the client insists on: it is never joined.
            **cluster.consumer_config(principal, f"{principal}.first"),
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            # A group may stand before what the log still holds: then the first record that is left is meant.
            "auto.offset.reset": "earliest",
            # One batch a partition is enough; the broker gives a whole one however small this is (KIP-74).
            "fetch.message.max.bytes": 1_024,
            "queued.min.messages": 1,
            "fetch.wait.max.ms": 10,
            "fetch.queue.backoff.ms": 5,
            "log_level": 0,
        }
        self._consumer = Consumer(config)

    def close(self) -> None:
        """Let the connections go."""
        self._consumer.close()

    def at(self, offsets: Mapping[Partition, int]) -> dict[Partition, InboxRecord | None]:
        """The first committed record at or after each offset; None where there is none up to the last stable offset.

        Raises Retriable where the broker stays silent for the whole budget, Fatal where a topic may not be read.
        """
        found: dict[Partition, InboxRecord | None] = {}
        if not offsets:
            return found
        self._consumer.assign([TopicPartition(*partition, offset) for partition, offset in offsets.items()])
        deadline = Deadline(self._clock, BUDGET_S)
        try:
            while len(found) < len(offsets):
                for message in self._poll(deadline):
                    self._take(message, offsets, found)
        finally:
            self._consumer.unassign()
        return found

    def _poll(self, deadline: Deadline) -> list[Polled]:
        first = attempt(lambda: self._consumer.poll(min(1.0, deadline.remaining())), "looking at partitions")
        if first is not None:
            return [first, *attempt(lambda: self._consumer.consume(_DRAIN_RECORDS, 0), "looking at partitions")]
        if deadline.expired():
            raise Retriable(f"looking at partitions: no answer for {BUDGET_S:.0f} s")
        return []

    def _take(
        self, message: Polled, offsets: Mapping[Partition, int], found: dict[Partition, InboxRecord | None]
    ) -> None:
        where = Partition(message.topic() or "", -1 if message.partition() is None else int(message.partition() or 0))
        error = message.error()
        if error is not None and error.name() != "_PARTITION_EOF":
            failure = translate(error, f"looking at {where.topic}")
            if isinstance(failure, Fatal):
                raise failure
            return
        if where in offsets and where not in found:
            found[where] = None if error is not None else record_of(message)
            self._consumer.incremental_unassign([TopicPartition(*where)])
