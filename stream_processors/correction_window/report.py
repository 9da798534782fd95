"""What the correction window tells its metrics: what waits, for how long, and what became of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

import structlog

from stream_processors.correction_window.waiting import Waiting
from tidings import metrics
from tidings.log import Partition
from tidings.policy.model import Policy, View
from tidings.releases import Release

_log = structlog.get_logger(__name__)

_Labels = tuple[str, ...]


class Report:
    """One worker's report. Nothing is counted of a transaction that was aborted, but that it was."""

    def __init__(self, store: metrics.MetricStore) -> None:
        self._store = store
        self._views: dict[str, View] = {}
        self._waiting: Mapping[Partition, Waiting] = {}
        self._now_ms = 0

    def policy(self, policy: Policy) -> None:
        """A policy was taken up. A counter begins at 0, so that its first rise is seen."""
        self._views |= {view.written_to: view for view in policy.views if view.hold_seconds is not None}
        self._store.set(metrics.POLICY_VERSION, policy.version)
        for view in self._views.values():
            for outcome in Release:
                self._store.add(metrics.HELD_SETTLED, 0, *_labels(view), outcome.value.lower())
        _log.info("policy taken up", policy_version=policy.version)

    def waits(self, waiting: Mapping[Partition, Waiting]) -> None:
        """What waits in each owned partition has changed."""
        self._waiting = waiting
        self.looked(self._now_ms)

    def looked(self, now_ms: int) -> None:
        """What waits was looked through at `now_ms`."""
        self._now_ms = now_ms
        counts: dict[_Labels, float] = defaultdict(float)
        oldest: dict[_Labels, float] = defaultdict(float)
        overdue: dict[_Labels, float] = defaultdict(float)
        for partition, waiting in self._waiting.items():
            view = self._views.get(partition.topic)
            if view is None:
                continue
            labels, first = _labels(view), waiting.first()
            waited = 0.0 if first is None else max(0, now_ms - first.held_at_ms) / 1_000
            counts[labels] += len(waiting)
            oldest[labels] = max(oldest[labels], waited)
            overdue[labels] = max(overdue[labels], waited - (view.hold_seconds or 0), 0.0)
        self._store.replace(metrics.HELD_VIEWS, counts)
        self._store.replace(metrics.HELD_SECONDS, oldest)
        self._store.replace(metrics.HELD_OVERDUE, overdue)

    def settled(self, outcomes: Mapping[Partition, Counter[Release]]) -> None:
        """A transaction is committed that settled so many views of each partition."""
        for partition, counts in outcomes.items():
            view = self._views.get(partition.topic)
            if view is not None:
                for outcome, amount in counts.items():
                    self._store.add(metrics.HELD_SETTLED, amount, *_labels(view), outcome.value.lower())

    def aborted(self) -> None:
        """A transaction was aborted."""
        self._store.add(metrics.ABORTS, 1)


def _labels(view: View) -> _Labels:
    return (view.agreement, view.event_type)
