"""The publisher of the latency part, a process of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from confluent_kafka import KafkaError, Message, Producer

from benchmarks.broker import ADMIN, load_cluster
from producers.encode import WireEvent

_FLUSH_S = 60.0


def publish_at(cluster_file: str, transport: str, records: Sequence[WireEvent], rate: int, pipe: Connection) -> None:
    """Send each record when it is due at `rate` a second; then tell when each was sent, in nanoseconds, or nothing at
    all where one did not arrive."""
    producer = Producer(load_cluster(Path(cluster_file), transport).publisher_config(ADMIN))
    producer.list_topics(timeout=30)
    sent: list[int] = []
    refused: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            refused.append(error)

    began = time.monotonic()
    for number, record in enumerate(records):
        wait = began + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        sent.append(time.time_ns())
        producer.produce(record.topic, record.value, record.key, on_delivery=report)
        producer.poll(0)
    pipe.send([] if producer.flush(_FLUSH_S) or refused else sent)
