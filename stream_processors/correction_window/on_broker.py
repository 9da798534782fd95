"""The correction window on a broker: what it is given there, and how it is put together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol

from prometheus_client import CollectorRegistry

from stream_processors.correction_window.report import Report
from stream_processors.correction_window.resume import Reads
from stream_processors.correction_window.window import RELEASE_LIMIT, CorrectionWindow, Tools
from stream_processors.exchange import PolicySource
from stream_processors.layout import Layout
from tidings import metrics, topics
from tidings.log import Partition
from tidings.policy.model import Policy


class Reader(Reads, Protocol):
    """`tidings.kafka.read.LogReader`."""

    def partitions(self, topic: str) -> Sequence[Partition]:
        """The partitions of a topic. Raises Fatal where there is no such topic."""
        ...


class Policies(PolicySource, Protocol):
    """`tidings.kafka.policy_store.PolicyReader`."""

    def load(self) -> Policy:
        """The policy in force. Raises Fatal where there is none."""
        ...


def correction_window_handler(
    worker: str,
    reader: Reader,
    policies: Policies,
    registry: CollectorRegistry | None = None,
    release_limit: int = RELEASE_LIMIT,
) -> CorrectionWindow:
    """The correction window, ready for the loop. `worker` names it in every release. Raises Fatal where the policy
    cannot be loaded."""
    store = metrics.MetricStore(metrics.WINDOW_METRICS)
    if registry is not None:
        registry.register(store)

    @cache
    def layout() -> Layout:
        """Asked for at the first release: while nothing was ever held, there need be no such topic."""
        return Layout({topics.RELEASES: len(reader.partitions(topics.RELEASES))})

    return CorrectionWindow(policies.load(), Tools(policies, reader, layout, Report(store), worker, release_limit))
