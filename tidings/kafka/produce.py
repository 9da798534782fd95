"""A plain producer: idempotent, keyed by murmur2, each delivery confirmed, the client's errors translated to ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Producer

from tidings.clock import Clock, Deadline, SystemClock
from tidings.errors import Fatal, Retriable, TidingsError
from tidings.kafka.cluster import Cluster
from tidings.kafka.errors import translate

Delivered: TypeAlias = Callable[[TidingsError | None], None]
"""Told once for each record: None when the broker has it, or why not."""

SEND_BUDGET_SECONDS = 60.0
_TOO_LARGE = "MSG_SIZE_TOO_LARGE"


class RecordProducer:
    """Writes records to topics as one principal. Used by one thread; `close` it, or use it in a `with`.

    Order: records of one key arrive in the order of `send`, also through retries (idempotence). A record that was
    sent is delivered once `flush` returned; until then nothing is promised.
    """

    def __init__(self, cluster: Cluster, principal: str, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        config = cluster.publisher_config(principal) | {"linger.ms": 5, "compression.type": "lz4"}
        try:
            self._producer = Producer(config)
        except KafkaException as error:
            raise translate(error.args[0], "opening a producer") from None

    def send(self, topic: str, key: bytes | None, value: bytes | None, delivered: Delivered) -> None:
        """Queue one record; `delivered` is called later, from `send`, `poll` or `flush`.

        Blocks while the queue is full. Raises Retriable where it stays full for a minute (the broker is away), Fatal
        where the client can never send it.
        """
        deadline = Deadline(self._clock, SEND_BUDGET_SECONDS)

        def report(error: KafkaError | None, _message: Any) -> None:
            delivered(None if error is None else translate(error, f"delivering to {topic}"))

        while True:
            try:
                self._producer.produce(topic, key=key, value=value, on_delivery=report)
            except BufferError:
                if deadline.expired():
                    raise Retriable(f"sending to {topic}: the queue stays full; is the broker away?") from None
                self._producer.poll(0.1)
                continue
            except KafkaException as error:
                raise translate(error.args[0], f"sending to {topic}") from None
            self._producer.poll(0)
            return

    def poll(self) -> None:
        """Serve delivery reports that are due. Does not block."""
        self._producer.poll(0)

    def flush(self, timeout_seconds: float = SEND_BUDGET_SECONDS) -> None:
        """Wait until every record was reported on. Raises Retriable where some were not by then."""
        left = self._producer.flush(timeout_seconds)
        if left:
            raise Retriable(f"{left} records were not confirmed within {timeout_seconds:g} s")

    def __len__(self) -> int:
        return len(self._producer)

    def __repr__(self) -> str:
        return f"RecordProducer({len(self)} waiting)"


def is_too_large(error: TidingsError) -> bool:
    """Whether a delivery failed because the record is larger than its topic takes."""
    return isinstance(error, Fatal) and str(error).endswith(_TOO_LARGE)
