"""The subscriber of the latency part, a process of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from benchmarks.broker import ADMIN, load_cluster

_DRAIN = 1_000


def subscribe(cluster_file: str, transport: str, starts: Mapping[str, int], wanted: int, pipe: Connection) -> None:
    """Read partition 0 of each feed from its start on, read_committed, until `wanted` views of each have come; then
    tell when each came, in nanoseconds, feed by feed. Says first that it is there."""
    consumer = Consumer(load_cluster(Path(cluster_file), transport).consumer_config(ADMIN, "benchmark"))
    consumer.assign([TopicPartition(feed, 0, offset) for feed, offset in starts.items()])
    arrived: dict[str, list[int]] = {feed: [] for feed in starts}
    consumer.poll(1.0)
    pipe.send(True)
    while any(len(each) < wanted for each in arrived.values()):
        message = consumer.poll(0.1)
        if message is None:
            continue
        now = time.time_ns()
        for each in [message, *consumer.consume(_DRAIN, 0)]:
            if each.error() is None:
                arrived[str(each.topic())].append(now)
    pipe.send(list(arrived.values()))
