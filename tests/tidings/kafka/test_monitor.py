"""The monitor and what stands around it, without a broker: what is shown, announced, counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests.tidings.pictures import FEED, INBOX, NOW_MS, PLACE, WORKER, picture
from tidings import metrics
from tidings.clock import StillClock
from tidings.errors import Fatal, Retriable
from tidings.kafka.announce import announced
from tidings.kafka.health import Health
from tidings.kafka.monitor import keep_watch, show
from tidings.kafka.observe import quarantined
from tidings.kafka.snapshot import Snapshot, State
from tidings.kafka.worker_metrics import WorkerMetrics
from tidings.log import Partition
from tidings.metrics import MONITOR_METRICS, MetricStore
from tidings.observation import GroupSeen
from tidings.quarantine import QuarantineRecord
from tidings.replays import ReplayRequest


@pytest.fixture
def health() -> Iterator[Health]:
    """A health endpoint that is not asked over HTTP."""
    made = Health(StillClock())
    made.start()
    yield made
    made.stop()


def test_partitions_add_up_and_the_slowest_group_counts() -> None:
    """Events of an inbox's partitions are summed, ages are their maximum; of a feed's groups the worst is shown."""
    store = MetricStore(MONITOR_METRICS)
    first = replace(INBOX, waiting_events=3, waiting_seconds=4.0)
    second = replace(INBOX, partition=Partition(PLACE.topic, 1), waiting_events=2, waiting_seconds=9.0)
    groups = (GroupSeen("dwp.a", 1, 7, 1.0), GroupSeen("dwp.b", 0, 5, 60.0))
    show(picture(inboxes=(first, second), feeds=(replace(FEED, groups=groups),), quarantined=2), store)

    of_inbox, of_feed = ("gro", "death-registered"), ("dwp", "benefits", "death-registered")
    assert store.value(metrics.INBOX_LAG_EVENTS, *of_inbox) == 5
    assert store.value(metrics.INBOX_LAG_SECONDS, *of_inbox) == 9.0
    assert store.value(metrics.FEED_LAG_EVENTS, *of_feed) == 7
    assert store.value(metrics.FEED_LAG_SECONDS, *of_feed) == 60.0
    assert store.value(metrics.QUARANTINE_EVENTS) == 2
    assert store.value(metrics.OBSERVED_AT) == NOW_MS / 1000


def test_what_holds_and_who_lets_go_are_shown() -> None:
    """An alert compares the two: feeds whose views wait, and workers of the correction window."""
    store = MetricStore(MONITOR_METRICS)
    show(picture(holding_feeds=2, windows=1), store)

    assert (store.value(metrics.HOLDING_FEEDS), store.value(metrics.WINDOW_MEMBERS)) == (2, 1)


def test_a_feed_that_is_gone_is_shown_no_more() -> None:
    """An agreement that ended leaves no series behind that would never change again."""
    registry, store = CollectorRegistry(), MetricStore(MONITOR_METRICS)
    registry.register(store)
    show(picture(), store)
    show(picture(feeds=()), store)

    assert "benefits" not in generate_latest(registry).decode()


def test_the_name_of_a_group_is_no_label() -> None:
    """A subscriber chooses its groups' names freely, so they stand in no metric."""
    registry, store = CollectorRegistry(), MetricStore(MONITOR_METRICS)
    registry.register(store)
    show(picture(feeds=(replace(FEED, groups=(GroupSeen("dwp.jane-doe", 1, 1, 1.0),)),)), store)

    assert "jane" not in generate_latest(registry).decode()


class Looks:
    """An observer that gives, or raises, one thing after the other."""

    def __init__(self, *given: Any) -> None:
        self.given = list(given)

    def look(self) -> Any:
        """The next one."""
        each = self.given.pop(0)
        if isinstance(each, Exception):
            raise each
        return each


def watch(looks: Looks, store: MetricStore, health: Health) -> None:
    """Watch until every look was taken."""
    keep_watch(looks, store, health, StillClock(), 5.0, lambda: bool(looks.given))  # type: ignore[arg-type]


def test_a_broker_that_is_away_is_waited_for_and_the_age_of_what_was_seen_shows(health: Health) -> None:
    """What was seen last stays with its time; the next look that succeeds replaces it."""
    store = MetricStore(MONITOR_METRICS)
    watch(Looks(picture(quarantined=1), Retriable("away")), store, health)

    assert store.value(metrics.QUARANTINE_EVENTS) == 1
    assert store.value(metrics.OBSERVED_AT) == NOW_MS / 1000
    watch(Looks(Retriable("away"), picture(at_ms=NOW_MS + 1_000)), store, health)
    assert store.value(metrics.OBSERVED_AT) == NOW_MS / 1000 + 1


def test_what_cannot_be_seen_at_all_ends_the_monitor(health: Health) -> None:
    """Without a policy there is nothing to watch: that is told, not retried."""
    with pytest.raises(Fatal):
        watch(Looks(Fatal("no policy has been published")), MetricStore(MONITOR_METRICS), health)


RECORD = QuarantineRecord(PLACE.topic, 0, 7, "internal", "KeyError", "tidings.x:1", 3, NOW_MS, WORKER.name)
AGAIN = replace(RECORD, late=True)


def asked(*positions: int) -> list[ReplayRequest]:
    """Requests for the record's replay at these positions, each of the failure in the block of that number."""
    return [ReplayRequest(position, PLACE, RECORD.offset, position) for position in positions]


TWICE = [ReplayRequest(0, PLACE, RECORD.offset, 5), ReplayRequest(1, PLACE, RECORD.offset, 5)]


@pytest.mark.parametrize(
    ("records", "requests", "answered_to", "count"),
    [
        ([], [], -1, 0),
        ([RECORD], [], -1, 1),
        ([RECORD, replace(RECORD, offset=8)], [], -1, 2),
        ([RECORD], asked(0), -1, 1),
        ([RECORD], asked(0), 0, 0),
        ([RECORD, AGAIN], asked(0), 0, 1),
        ([RECORD, AGAIN], asked(0, 1), 0, 1),
        ([RECORD, AGAIN], asked(0, 1), 1, 0),
        ([RECORD], [ReplayRequest(0, Partition(PLACE.topic, 1), 7)], 0, 1),
        ([RECORD, AGAIN], TWICE, 1, 1),
    ],
    ids=[
        "none",
        "one",
        "two",
        "asked",
        "replayed",
        "failed-again",
        "asked-again",
        "replayed-at-last",
        "another",
        "asked-twice",
    ],
)
def test_what_is_in_quarantine_is_counted(
    records: list[QuarantineRecord], requests: list[ReplayRequest], answered_to: int, count: int
) -> None:
    """Recorded and not replayed well since, without reading the decisions of a month."""
    assert quarantined(records, requests, {PLACE: answered_to}) == count


def test_a_worker_shows_its_turns_its_share_and_whether_it_is_ready() -> None:
    """Read from the last snapshot when asked."""
    clock = StillClock()
    health = Health(clock)
    registry = CollectorRegistry()
    registry.register(WorkerMetrics(health))
    health.observe(Snapshot(State.RUNNING, clock.monotonic(), assigned=True, partitions=(PLACE,)))
    clock.advance(12)
    text = generate_latest(registry).decode()

    assert "tidings_turn_age_seconds 12.0" in text
    assert "tidings_ready 1.0" in text
    assert "tidings_worker_partitions 1.0" in text


def test_where_metrics_are_is_said_while_the_process_runs(tmp_path: Path) -> None:
    """The file is Prometheus' own form, and gone at the end."""
    folder = tmp_path / "targets"
    with announced(folder, "exchange-main-0", 9_400):
        [path] = folder.glob("*.json")
        assert json.loads(path.read_text()) == [
            {"targets": ["127.0.0.1:9400"], "labels": {"worker": "exchange-main-0"}}
        ]
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "targets").write_text("")
    with pytest.raises(Fatal, match="cannot be written"), announced(tmp_path / "targets", "x", 1):
        pass
