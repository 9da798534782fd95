"""The metrics' table and store."""

from __future__ import annotations

import re

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tidings import metrics
from tidings.metrics import METRICS, Kind, Label, MetricSpec, MetricStore

UNITS = {
    "seconds", "events", "views", "reasons", "transactions", "version", "partitions", "workers", "boolean", "parts",
    "records", "changes", "retries", "share", "severity", "feeds",
}  # fmt: skip


@pytest.mark.parametrize("spec", METRICS, ids=lambda spec: spec.name)
def test_a_metric_obeys_the_grammar(spec: MetricSpec) -> None:
    """Namespace, noun, unit; counters and only they end in `_total`; every metric has a unit and a help text."""
    assert re.fullmatch(r"tidings(_[a-z]+)+", spec.name)
    assert (spec.kind is Kind.COUNTER) == spec.name.endswith("_total")
    assert spec.unit in UNITS
    assert spec.help.endswith(".")
    assert (spec.kind is Kind.HISTOGRAM) == bool(spec.buckets)
    assert list(spec.buckets) == sorted(set(spec.buckets))
    if spec.unit == "seconds":
        assert spec.name.endswith("_seconds")


def test_no_label_holds_free_text() -> None:
    """The list of labels is closed: ids of the policy and words of closed lists."""
    assert {label for spec in METRICS for label in spec.labels} <= set(Label)
    words = {"event_type", "outcome", "agreement", "reason", "agency", "measure", "finding"}
    assert {label.value for label in Label} == words


def test_names_are_unique_and_every_metric_of_the_module_is_in_the_table() -> None:
    """A metric that is defined is documented."""
    defined = [each for each in vars(metrics).values() if isinstance(each, MetricSpec)]

    assert len({spec.name for spec in METRICS}) == len(METRICS)
    assert sorted(spec.name for spec in defined) == sorted(spec.name for spec in METRICS)
    assert set(metrics.WINDOW_METRICS) < set(METRICS)


def test_prometheus_shows_what_was_written() -> None:
    """Counters, gauges and cumulative buckets come out of the registry that the store is given to."""
    registry, store = CollectorRegistry(), MetricStore()
    registry.register(store)
    store.add(metrics.EVENTS, 3, "death-registered", "delivered")
    store.set(metrics.POLICY_VERSION, 7)
    store.observe(metrics.LATENCY, [0.002, 0.02, 1_000.0], "death-registered")
    text = generate_latest(registry).decode()

    assert 'tidings_events_total{event_type="death-registered",outcome="delivered"} 3.0' in text
    assert "tidings_policy_version 7.0" in text
    assert 'tidings_latency_seconds_bucket{event_type="death-registered",le="0.025"} 2.0' in text
    assert 'tidings_latency_seconds_count{event_type="death-registered"} 3.0' in text


def test_a_wrong_kind_or_label_count_is_refused() -> None:
    """What is not in the table cannot be shown."""
    store = MetricStore()

    with pytest.raises(ValueError, match="tidings_events_total is a counter"):
        store.set(metrics.EVENTS, 1, "a", "b")
    with pytest.raises(ValueError, match="labels"):
        store.add(metrics.EVENTS, 1, "a")


def test_a_gauge_forgets_what_is_no_longer_there() -> None:
    """`replace` makes the given series all there are, and takes gauges only."""
    store = MetricStore(metrics.MONITOR_METRICS)
    store.set(metrics.INBOX_LAG_EVENTS, 1, "gro", "gone")
    store.replace(metrics.INBOX_LAG_EVENTS, {("gro", "death-registered"): 2.0})
    [family] = [each for each in store.collect() if each.name == metrics.INBOX_LAG_EVENTS.name]

    assert [(each.labels["event_type"], each.value) for each in family.samples] == [("death-registered", 2.0)]
    with pytest.raises(ValueError, match="counter"):
        MetricStore().replace(metrics.EVENTS, {("a", "b"): 1.0})


def test_a_worker_and_the_monitor_show_no_metric_of_each_other() -> None:
    """The five parts of the table are disjoint, so that no 0 of one process hides what another has seen."""
    parts = (
        metrics.EXCHANGE_METRICS, metrics.WORKER_METRICS, metrics.MONITOR_METRICS, metrics.PROCESSOR_METRICS,
        metrics.HELD_METRICS,
    )  # fmt: skip

    assert sum(map(len, parts)) == len(set().union(*parts)) == len(METRICS)
