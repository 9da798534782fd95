"""Follows topics as they grow, read_committed, and notes when each record came: latency as a subscriber has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tidings.clock import Clock
from tidings.kafka.clients import ClientSettings
from tidings.kafka.errors import translate
from tidings.kafka.polling import record_of
from tidings.kafka.read import LogReader
from tidings.kafka.retry import attempt
from tidings.log import InboxRecord

_POLL_SECONDS = 0.1
_DRAIN_RECORDS = 2_000


class Arrival(NamedTuple):
    """A record, and when this process got it, in milliseconds since 1970."""

    record: InboxRecord
    at_ms: int


def tail(
    cluster: ClientSettings, principal: str, topics: Sequence[str], clock: Clock, going_on: Callable[[], bool]
) -> Iterator[Arrival]:
    """Every record of `topics` from their start on, as it comes, until `going_on()` says no. One thread.

    Raises Fatal where a topic may not be read; a broker that is away for a while is waited for.
    """
    with LogReader(cluster, principal) as reader:
        partitions = [partition for topic in topics for partition in reader.partitions(topic)]
    consumer = Consumer(
        {
            **cluster.consumer_config(principal, f"{principal}.tail"),
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
        }
    )
    try:
        consumer.assign([TopicPartition(*partition, OFFSET_BEGINNING) for partition in partitions])
        while going_on():
            first = attempt(lambda: consumer.poll(_POLL_SECONDS), "following")
            rest = attempt(lambda: consumer.consume(_DRAIN_RECORDS, 0), "following") if first is not None else []
            now_ms = clock.now_ms()
            for message in ([first, *rest]) if first is not None else ():
                error = message.error()
                if error is None:
                    yield Arrival(record_of(message), now_ms)
                elif error.fatal() or "AUTHORIZATION" in error.name():
                    raise translate(error, "following")
    finally:
        consumer.close()
