"""Every metric that Tidings shows: one typed table, and the store that a worker fills once a batch.

Names follow `tidings_<noun>_<unit>`, counters end in `_total` (Prometheus, "Metric and label naming"). A label holds
an id of the policy or a word of a closed list: never free text, never an id or a value of an event.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Kind(StrEnum):
    """What Prometheus does with it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Label(StrEnum):
    """The labels there are: ids out of the policy, or words of a closed list."""

    EVENT_TYPE = "event_type"
    OUTCOME = "outcome"
    AGREEMENT = "agreement"
    REASON = "reason"
    AGENCY = "agency"
    MEASURE = "measure"
    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One row of the table. `unit` is a base unit, or what is counted; `buckets` are upper bounds in that unit."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[Label, ...]
    help: str
    buckets: tuple[float, ...] = ()


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_EVENTS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0)

EVENTS = MetricSpec(
    "tidings_events_total", Kind.COUNTER, "events", (Label.EVENT_TYPE, Label.OUTCOME),
    "Events decided, by event type and outcome.",
)  # fmt: skip
DELIVERIES = MetricSpec(
    "tidings_views_total", Kind.COUNTER, "views", (Label.AGREEMENT, Label.EVENT_TYPE, Label.OUTCOME),
    "What each agreement in force made of accepted events: delivered, withdrawn or filtered.",
)  # fmt: skip
REJECTIONS = MetricSpec(
    "tidings_rejections_total", Kind.COUNTER, "reasons", (Label.EVENT_TYPE, Label.REASON),
    "Reasons why events were rejected; one event may have several.",
)  # fmt: skip
FLAGS = MetricSpec(
    "tidings_flags_total", Kind.COUNTER, "reasons", (Label.EVENT_TYPE, Label.REASON),
    "Notes on accepted events; one event may have several.",
)  # fmt: skip
QUARANTINED = MetricSpec(
    "tidings_quarantined_total", Kind.COUNTER, "events", (Label.EVENT_TYPE,),
    "Events on which our own code failed.",
)  # fmt: skip
BATCH_EVENTS = MetricSpec(
    "tidings_batch_events", Kind.HISTOGRAM, "events", (), "Events in a committed batch.", _EVENTS,
)  # fmt: skip
BATCH_SECONDS = MetricSpec(
    "tidings_batch_seconds", Kind.HISTOGRAM, "seconds", (),
    "From the start of deciding a batch to its commit.", _SECONDS,
)  # fmt: skip
ABORTS = MetricSpec(
    "tidings_transaction_aborts_total", Kind.COUNTER, "transactions", (), "Transactions aborted, to be tried again.",
)  # fmt: skip
LATENCY = MetricSpec(
    "tidings_latency_seconds", Kind.HISTOGRAM, "seconds", (Label.EVENT_TYPE,),
    "End to end: recorded by the broker in the inbox until committed to the feeds.", _SECONDS,
)  # fmt: skip
LAG = MetricSpec(
    "tidings_lag_seconds", Kind.GAUGE, "seconds", (Label.EVENT_TYPE,),
    "Age of the last event decided when its batch was committed.",
)  # fmt: skip
POLICY_VERSION = MetricSpec("tidings_policy_version", Kind.GAUGE, "version", (), "The policy in force at this worker.")

TURN_AGE = MetricSpec(
    "tidings_turn_age_seconds", Kind.GAUGE, "seconds", (), "Since the worker's loop last made a turn.",
)  # fmt: skip
READY = MetricSpec("tidings_ready", Kind.GAUGE, "boolean", (), "1 where the worker runs and has its share, else 0.")
PARTITIONS = MetricSpec("tidings_worker_partitions", Kind.GAUGE, "partitions", (), "Inbox partitions of this worker.")

PUBLISHED_POLICY = MetricSpec(
    "tidings_published_policy_version", Kind.GAUGE, "version", (), "The newest policy in `exchange.policy`.",
)  # fmt: skip
MEMBERS = MetricSpec("tidings_group_members", Kind.GAUGE, "workers", (), "Workers in the exchange's consumer group.")
HOLDING_FEEDS = MetricSpec(
    "tidings_holding_feeds", Kind.GAUGE, "feeds", (), "Feeds of the newest policy whose views wait first.",
)  # fmt: skip
WINDOW_MEMBERS = MetricSpec(
    "tidings_window_members", Kind.GAUGE, "workers", (), "Workers in the correction window's consumer group.",
)  # fmt: skip
QUARANTINE_EVENTS = MetricSpec(
    "tidings_quarantine_events", Kind.GAUGE, "events", (), "Events in quarantine now.",
)  # fmt: skip
OBSERVED_AT = MetricSpec(
    "tidings_observed_timestamp_seconds", Kind.GAUGE, "seconds", (),
    "When the monitor last saw everything, in seconds since 1970.",
)  # fmt: skip
INBOX_LAG_EVENTS = MetricSpec(
    "tidings_inbox_lag_events", Kind.GAUGE, "events", (Label.AGENCY, Label.EVENT_TYPE),
    "At most this many events of a publisher's inbox wait to be decided.",
)  # fmt: skip
INBOX_LAG_SECONDS = MetricSpec(
    "tidings_inbox_lag_seconds", Kind.GAUGE, "seconds", (Label.AGENCY, Label.EVENT_TYPE),
    "How long the oldest event of a publisher's inbox has waited to be decided; 0 where none waits.",
)  # fmt: skip
FRESHNESS = MetricSpec(
    "tidings_feed_freshness_seconds", Kind.GAUGE, "seconds", (Label.AGENCY, Label.AGREEMENT, Label.EVENT_TYPE),
    "How long the oldest event that a subscriber's feed may lack has waited in its inbox; 0 where it lacks none.",
)  # fmt: skip
FEED_VIEWS = MetricSpec(
    "tidings_feed_views", Kind.GAUGE, "views", (Label.AGENCY, Label.AGREEMENT, Label.EVENT_TYPE),
    "Views ever written to a subscriber's feed, by its last sequences.",
)  # fmt: skip
FEED_LAG_EVENTS = MetricSpec(
    "tidings_feed_lag_events", Kind.GAUGE, "views", (Label.AGENCY, Label.AGREEMENT, Label.EVENT_TYPE),
    "Views of a feed that its subscriber's slowest group has not committed as read.",
)  # fmt: skip
FEED_LAG_SECONDS = MetricSpec(
    "tidings_feed_lag_seconds", Kind.GAUGE, "seconds", (Label.AGENCY, Label.AGREEMENT, Label.EVENT_TYPE),
    "How long the oldest view that its subscriber's slowest group has not committed as read has stood in the feed.",
)  # fmt: skip

PROCESSOR_EVENTS = MetricSpec(
    "tidings_processor_events_total", Kind.COUNTER, "events", (Label.OUTCOME,),
    "Events that a derived processor has read: taken, or set aside because it failed on them.",
)  # fmt: skip
PROCESSOR_PARTS = MetricSpec(
    "tidings_processor_parts_total", Kind.COUNTER, "parts", (), "Parts of events that a processor has worked in.",
)  # fmt: skip
PROCESSOR_RECORDS = MetricSpec(
    "tidings_processor_records_total", Kind.COUNTER, "records", (), "Records that a processor has sent on.",
)  # fmt: skip
PROCESSOR_LATE = MetricSpec(
    "tidings_processor_late_total", Kind.COUNTER, "changes", (),
    "Changes that came after their window was over, and were not made.",
)  # fmt: skip
PROCESSOR_RETRIES = MetricSpec(
    "tidings_processor_retries_total", Kind.COUNTER, "retries", (), "How often a processor tried something again.",
)  # fmt: skip
PROCESSOR_LAG = MetricSpec(
    "tidings_processor_lag_seconds", Kind.GAUGE, "seconds", (), "Age of the last event when it was worked in.",
)  # fmt: skip

HELD_VIEWS = MetricSpec(
    "tidings_held_views", Kind.GAUGE, "views", (Label.AGREEMENT, Label.EVENT_TYPE),
    "Views that wait in the correction window, those whose place a later one has taken apart.",
)  # fmt: skip
HELD_SECONDS = MetricSpec(
    "tidings_held_oldest_seconds", Kind.GAUGE, "seconds", (Label.AGREEMENT, Label.EVENT_TYPE),
    "How long the view has waited whose turn is next; 0 where none waits.",
)  # fmt: skip
HELD_OVERDUE = MetricSpec(
    "tidings_held_overdue_seconds", Kind.GAUGE, "seconds", (Label.AGREEMENT, Label.EVENT_TYPE),
    "How long ago the hold of that view has passed; 0 where it has not.",
)  # fmt: skip
HELD_SETTLED = MetricSpec(
    "tidings_held_settled_total", Kind.COUNTER, "views", (Label.AGREEMENT, Label.EVENT_TYPE, Label.OUTCOME),
    "What became of views that waited: released, corrected, replaced or stopped.",
)  # fmt: skip

QUALITY_SHARE = MetricSpec(
    "tidings_quality_share", Kind.GAUGE, "share", (Label.AGENCY, Label.EVENT_TYPE, Label.MEASURE),
    "Of data-quality: the share of a publisher's events of the last day with events that a measure counts.",
)  # fmt: skip
RISK_SEVERITY = MetricSpec(
    "tidings_risk_severity", Kind.GAUGE, "severity", (Label.AGENCY, Label.AGREEMENT, Label.FINDING),
    "Of risk-monitor: how severe what was found is: 1 low, 2 medium, 3 high; 0 where nothing was.",
)  # fmt: skip

EXCHANGE_METRICS: tuple[MetricSpec, ...] = (
    EVENTS, DELIVERIES, REJECTIONS, FLAGS, QUARANTINED, BATCH_EVENTS, BATCH_SECONDS, ABORTS, LATENCY, LAG,
    POLICY_VERSION,
)  # fmt: skip
"""What a worker's exchange writes, once a batch."""

WORKER_METRICS: tuple[MetricSpec, ...] = (TURN_AGE, READY, PARTITIONS)
"""What a worker's health endpoint adds when it is asked, from the loop's last snapshot."""

MONITOR_METRICS: tuple[MetricSpec, ...] = (
    PUBLISHED_POLICY, MEMBERS, HOLDING_FEEDS, WINDOW_MEMBERS, QUARANTINE_EVENTS, OBSERVED_AT, INBOX_LAG_EVENTS,
    INBOX_LAG_SECONDS, FRESHNESS, FEED_VIEWS, FEED_LAG_EVENTS, FEED_LAG_SECONDS,
)  # fmt: skip
"""What `tidings run monitor` serves: what is known from the broker alone, whether workers run or not."""

PROCESSOR_METRICS: tuple[MetricSpec, ...] = (
    PROCESSOR_EVENTS, PROCESSOR_PARTS, PROCESSOR_RECORDS, PROCESSOR_LATE, PROCESSOR_RETRIES, PROCESSOR_LAG,
    QUALITY_SHARE, RISK_SEVERITY,
)  # fmt: skip
"""What each derived processor serves; which one it is, the label `worker` says."""

HELD_METRICS: tuple[MetricSpec, ...] = (HELD_VIEWS, HELD_SECONDS, HELD_OVERDUE, HELD_SETTLED)
"""What the correction window alone serves."""

WINDOW_METRICS: tuple[MetricSpec, ...] = (*HELD_METRICS, ABORTS, POLICY_VERSION)
"""What the correction window serves, beside what every worker does; two of them as the exchange's workers do."""

METRICS: tuple[MetricSpec, ...] = (
    *EXCHANGE_METRICS, *WORKER_METRICS, *MONITOR_METRICS, *PROCESSOR_METRICS, *HELD_METRICS,
)  # fmt: skip
"""The table: documentation, dashboards, alerts and tests are made from it."""

_Labels = tuple[str, ...]


class MetricStore(Collector):
    """A worker's metrics: written by the loop's thread a few times a batch, read by the endpoint's.

    Register it: `registry.register(store)`. A metric that is not in the table cannot be written.
    """

    def __init__(self, table: Sequence[MetricSpec] = EXCHANGE_METRICS) -> None:
        self._lock = Lock()
        self._values: dict[MetricSpec, dict[_Labels, float]] = {spec: {} for spec in table}
        self._buckets: dict[MetricSpec, dict[_Labels, list[int]]] = {spec: {} for spec in table if spec.buckets}

    def add(self, spec: MetricSpec, amount: float, *labels: str) -> None:
        """Raise a counter. Raises ValueError where the labels are not the table's."""
        _check(spec, Kind.COUNTER, labels)
        with self._lock:
            values = self._values[spec]
            values[labels] = values.get(labels, 0.0) + amount

    def set(self, spec: MetricSpec, value: float, *labels: str) -> None:
        """Set a gauge."""
        _check(spec, Kind.GAUGE, labels)
        with self._lock:
            self._values[spec][labels] = value

    def replace(self, spec: MetricSpec, values: Mapping[_Labels, float]) -> None:
        """Make `values` all the series that a gauge has: what is not in it is shown no more."""
        for labels in values:
            _check(spec, Kind.GAUGE, labels)
        with self._lock:
            self._values[spec] = dict(values)

    def observe(self, spec: MetricSpec, values: Iterable[float], *labels: str) -> None:
        """Add a batch of observations to a histogram."""
        self.observe_counted(spec, Counter(values), *labels)

    def observe_counted(self, spec: MetricSpec, times: Mapping[float, int], *labels: str) -> None:
        """The same for values that come several times: how often each was observed."""
        _check(spec, Kind.HISTOGRAM, labels)
        counts, total = [0] * (len(spec.buckets) + 1), 0.0
        for value, often in times.items():
            counts[bisect_left(spec.buckets, value)] += often
            total += value * often
        with self._lock:
            standing = self._buckets[spec].setdefault(labels, [0] * len(counts))
            for at, count in enumerate(counts):
                standing[at] += count
            sums = self._values[spec]
            sums[labels] = sums.get(labels, 0.0) + total

    def value(self, spec: MetricSpec, *labels: str) -> float:
        """A counter's, gauge's or histogram's sum as it stands; 0 where nothing was written."""
        with self._lock:
            return self._values[spec].get(labels, 0.0)

    def collect(self) -> Iterator[Metric]:
        """What `prometheus_client` shows."""
        with self._lock:
            values = {spec: dict(each) for spec, each in self._values.items()}
            buckets = {spec: {labels: list(c) for labels, c in each.items()} for spec, each in self._buckets.items()}
        for spec, series in values.items():
            yield _family(spec, series, buckets.get(spec, {}))


def _check(spec: MetricSpec, kind: Kind, labels: _Labels) -> None:
    if spec.kind is not kind or len(labels) != len(spec.labels):
        raise ValueError(f"{spec.name} is a {spec.kind.value} with labels {[label.value for label in spec.labels]}")


def _family(spec: MetricSpec, series: dict[_Labels, float], buckets: dict[_Labels, list[int]]) -> Metric:
    names = [label.value for label in spec.labels]
    if spec.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(spec.name, spec.help, labels=names)
        for labels, total in series.items():
            histogram.add_metric(labels, _cumulative(spec, buckets[labels]), total)
        return histogram
    family = CounterMetricFamily if spec.kind is Kind.COUNTER else GaugeMetricFamily
    plain = family(spec.name, spec.help, labels=names)
    if not names and not series:
        series = {(): 0.0}
    for labels, value in series.items():
        plain.add_metric(labels, value)
    return plain


def _cumulative(spec: MetricSpec, counts: Sequence[int]) -> list[tuple[str, float]]:
    out: list[tuple[str, float]] = []
    running = 0
    for bound, count in zip((*map(str, spec.buckets), "+Inf"), counts, strict=True):
        running += count
        out.append((bound, float(running)))
    return out
