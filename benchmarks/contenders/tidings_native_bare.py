"""The exchange's loop and native projection without what makes it an exchange: no checks, no deduplication, no decision
blocks, no metrics.

It is put together here, from the exchange's own pieces, and only for measuring: the product has no switch for it, and
the extension no such function (`benchmarks.native`).
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer

from benchmarks.broker import ADMIN, load_cluster
from benchmarks.contender import Contender
from benchmarks.native import measuring_build, why_not_built
from benchmarks.task import Task, read_task
from tidings.kafka.clients import consumer_config, open_consumer, open_producer, producer_config
from tidings.kafka.loop import Loop
from tidings.kafka.policy_store import PolicyReader
from tidings.kafka.settings import LoopSettings
from tidings.keys import KeyRing
from tidings.log import InboxRecord, Partition, Position, Transaction
from tidings.policy.model import Policy
from tidings.projection.native import EVENTS_A_THREAD, NativeRun, derived_keys
from tidings.projection.program import inbox_program
from tidings.settle_memory import settle_memory

CONTENDER = Contender(
    name="tidings-native-bare",
    what="its loop and native projection alone: checks, deduplication, decision blocks and metrics off",
    events=1_000_000,
    order=2,
    prepare=why_not_built,
)


class BareExchange:
    """A `tidings.log.Handler` that projects, and nothing else."""

    def __init__(self, policy: Policy, keys: KeyRing) -> None:
        (inbox,) = policy.inboxes
        program = inbox_program(inbox, policy.views, policy.environment.value, policy.version)
        self._engine = measuring_build().Bare(
            program.as_json(), derived_keys(program, keys), keys.version, EVENTS_A_THREAD
        )
        self._topic, self._views = inbox.topic, len(program.views)
        self._sequences: dict[Partition, list[int]] = {}
        self._reached: dict[Partition, list[int]] = {}

    def inboxes(self) -> Sequence[str]:
        """The one."""
        return [self._topic]

    def take(self, positions: Sequence[Position]) -> None:
        """Nothing is read back."""
        self._sequences.update({position.partition: [0] * self._views for position in positions})

    def give(self, partitions: Sequence[Partition]) -> None:
        """They are forgotten."""
        for partition in partitions:
            self._sequences.pop(partition, None)

    def decide(self, records: Sequence[InboxRecord], now_ms: int) -> Transaction:
        """The views of a batch."""
        del now_ms
        runs: list[Any] = []
        offsets: dict[Partition, int] = {}
        for (topic, number), group in groupby(records, lambda record: record[:2]):
            partition, part = Partition(topic, number), list(group)
            made, self._reached[partition] = self._engine.project(number, part, self._sequences[partition])
            runs += map(NativeRun, made)
            offsets[partition] = part[-1].offset + 1
        return Transaction([], offsets=offsets, runs=runs)

    def idle(self, now_ms: int) -> Transaction | None:
        """No policy is followed."""
        del now_ms
        return None

    def committed(self, anchors: dict[Partition, str]) -> None:
        """The sequences stand."""
        del anchors
        self._sequences.update(self._reached)
        self._reached = {}

    def aborted(self) -> None:
        """They do not."""
        self._reached = {}


def run(task: Task) -> None:
    """Until SIGTERM."""
    cluster = load_cluster(Path(task.cluster_file), task.transport, task.deployment)
    with PolicyReader(cluster, ADMIN) as policies:
        handler = BareExchange(policies.load(), KeyRing.from_file(cluster.keys_file))
    settings = LoopSettings()

    def connect() -> Consumer:
        return open_consumer(consumer_config(cluster, ADMIN, task.slot, settings))

    loop = Loop(connect, open_producer(producer_config(cluster, ADMIN, task.slot, settings)), handler, settings)
    signal.signal(signal.SIGTERM, lambda _number, _frame: loop.stop())
    settle_memory()
    loop.run()


if __name__ == "__main__":
    run(read_task(sys.argv[1]))
