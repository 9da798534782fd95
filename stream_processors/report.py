"""What the exchange tells its metrics: gathered while a batch is decided, shown once it is committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import structlog

from stream_processors.compiled import CompiledInbox
from stream_processors.counts import Counts
from stream_processors.told import tell
from tidings import metrics
from tidings.clock import Clock
from tidings.decisions import Outcome, ViewOutcome
from tidings.errors import Severity
from tidings.log import TIMESTAMP_MS, InboxRecord, Partition
from tidings.policy.model import Policy

_log = structlog.get_logger(__name__)

_OUTCOMES = tuple(each.value.lower() for each in Outcome)
_MADE = tuple(each.value.lower() for each in ViewOutcome)


class Report:
    """One worker's report. Nothing is shown of a transaction that was aborted, but that it was."""

    def __init__(self, store: metrics.MetricStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._began = 0.0
        self._stamps: dict[Partition, Counter[int]] = {}
        self._agreements: dict[str, str] = {}

    def policy(self, policy: Policy) -> None:
        """A policy was taken up."""
        self._agreements = {view.feed: view.agreement for view in policy.views}
        self._store.set(metrics.POLICY_VERSION, policy.version)
        self._begin_at_zero(policy)
        _log.info("policy taken up", policy_version=policy.version)

    def _begin_at_zero(self, policy: Policy) -> None:
        """A counter that first appears as 1 has risen by nothing, as Prometheus sees it: so each begins at 0."""
        for inbox in policy.inboxes:
            for outcome in _OUTCOMES:
                self._store.add(metrics.EVENTS, 0, inbox.event_type, outcome)
            self._store.add(metrics.QUARANTINED, 0, inbox.event_type)
            self._store.observe(metrics.LATENCY, (), inbox.event_type)
        for view in policy.views:
            for made in _MADE:
                self._store.add(metrics.DELIVERIES, 0, view.agreement, view.event_type, made)

    def deciding(self, records: list[InboxRecord], partition: Partition) -> None:
        """A partition's share of a batch is about to be decided."""
        if not self._stamps:
            self._began = self._clock.monotonic()
        # The broker stamps what it appends at once alike: few stamps, however many records.
        self._stamps[partition] = Counter(map(TIMESTAMP_MS, records))

    def forgotten(self) -> None:
        """What was gathered belongs to no transaction."""
        self._stamps = {}

    def aborted(self) -> None:
        """The transaction was aborted."""
        self._store.add(metrics.ABORTS, 1)
        self.forgotten()

    def committed(self, counts: Mapping[Partition, Counts], inboxes: Mapping[str, CompiledInbox]) -> None:
        """The transaction is committed, with these decisions."""
        now_ms = self._clock.now_ms()
        for partition, counted in counts.items():
            # An acknowledgement decides no event, and may be for an inbox that the policy no longer has.
            if counted.outcomes:
                self._count(inboxes[partition.topic].inbox.event_type, counted)
                tell(partition, counted)
        for partition, stamps in self._stamps.items():
            event_type = inboxes[partition.topic].inbox.event_type
            waited = Counter[float]()
            for stamp, often in stamps.items():
                waited[max(0, now_ms - stamp) / 1000] += often
            self._store.observe_counted(metrics.LATENCY, waited, event_type)
            self._store.set(metrics.LAG, max(0, now_ms - max(stamps)) / 1000, event_type)
        if self._stamps:
            self._store.observe(metrics.BATCH_EVENTS, [float(sum(each.total() for each in self._stamps.values()))])
            self._store.observe(metrics.BATCH_SECONDS, [self._clock.monotonic() - self._began])
        self.forgotten()

    def _count(self, event_type: str, counts: Counts) -> None:
        for outcome, amount in counts.outcomes.items():
            if amount:
                self._store.add(metrics.EVENTS, amount, event_type, outcome.value.lower())
        if counts.outcomes[Outcome.QUARANTINED]:
            self._store.add(metrics.QUARANTINED, counts.outcomes[Outcome.QUARANTINED], event_type)
        for (feed, made), amount in counts.views.items():
            agreement = self._agreements.get(feed, "unknown")
            self._store.add(metrics.DELIVERIES, amount, agreement, event_type, made.value.lower())
        for (severity, code), amount in counts.reasons.items():
            table = metrics.REJECTIONS if severity is Severity.REJECT else metrics.FLAGS
            self._store.add(table, amount, event_type, code.value)
