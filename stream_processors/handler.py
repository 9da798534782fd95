"""The exchange on a broker: what it is given there, and how it is put together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry

from stream_processors.exchange import Exchange, PolicySource, Tools
from stream_processors.executors import AUTO, executors
from stream_processors.layout import Layout
from stream_processors.replay_log import Reader as ReplayReader
from stream_processors.replay_log import ReplayLog
from stream_processors.report import Report
from stream_processors.resume import LogAccess
from stream_processors.route import Router
from tidings import topics
from tidings.clock import Clock, SystemClock
from tidings.keys import KeyRing
from tidings.log import Partition
from tidings.metrics import MetricStore
from tidings.policy.model import Policy


class KeysAt(Protocol):
    """Of `tidings.kafka.cluster.Cluster`, what the exchange needs."""

    @property
    def keys_file(self) -> Path:
        """Where the root key is."""
        ...


class Reader(LogAccess, ReplayReader, Protocol):
    """`tidings.kafka.read.LogReader`."""

    def partitions(self, topic: str) -> Sequence[Partition]:
        """The partitions of a topic. Raises Fatal where there is no such topic."""
        ...


class Policies(PolicySource, Protocol):
    """`tidings.kafka.policy_store.PolicyReader`."""

    def load(self) -> Policy:
        """The policy in force. Raises Fatal where there is none."""
        ...


def exchange_handler(
    cluster: KeysAt,
    slot: int,
    *,
    worker: str,
    reader: Reader,
    policies: Policies,
    registry: CollectorRegistry | None = None,
    clock: Clock | None = None,
    projection: str = AUTO,
) -> Exchange:
    """The exchange on a broker, ready for the loop: policy loaded and compiled, metrics registered.

    `worker` names this worker in every decision; `projection` is a kind of `executors`. Raises Fatal where the policy
    or the root key cannot be loaded.
    """
    keys = KeyRing.from_file(Path(cluster.keys_file))
    store = MetricStore()
    if registry is not None:
        registry.register(store)

    def router(policy: Policy) -> Router:
        notices = {topics.notices(inbox.agency) for inbox in policy.inboxes}
        written = {topics.DECISIONS, topics.NONCES, topics.QUARANTINE, *notices}
        layout = Layout({topic: len(reader.partitions(topic)) for topic in written})
        return Router(f"{worker}/{slot}", keys, layout, os.urandom)

    report = Report(store, clock or SystemClock())
    chosen = executors(keys, projection)
    tools = Tools(
        chosen.factory,
        policies,
        reader,
        router,
        report,
        ReplayLog(reader),
        native=chosen.native,
        window=chosen.window,
        behind=chosen.behind,
    )
    return Exchange(policies.load(), tools)
