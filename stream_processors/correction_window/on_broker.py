"""The correction window on a broker: what it is given there, and how it is put together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol

from prometheus_client import CollectorRegistry

from stream_processors.correction_window.report import Report
from stream_processors.correction_window.window import RELEASE_LIMIT, CorrectionWindow, Tools
from stream_processors.handler import Policies
from stream_processors.layout import Layout
from stream_processors.resume import LogAccess
from tidings import metrics, topics
from tidings.log import Partition


class Reader(LogAccess, Protocol):
    """`tidings.kafka.read.LogReader`."""

    def partitions(self, topic: str) -> Sequence[Partition]:
        """The partitions of a topic. Raises Fatal where there is no such topic."""
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
