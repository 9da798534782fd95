"""The health endpoint follows the loop's snapshots and needs no broker."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter

from tidings.clock import StillClock
from tidings.kafka.health import LIVE_WITHIN_S, Health
from tidings.kafka.snapshot import Snapshot, State
from tidings.log import Partition


@pytest.fixture
def clock() -> StillClock:
    """A clock that the test moves."""
    return StillClock()


@pytest.fixture
def health(clock: StillClock) -> Iterator[Health]:
    """A serving endpoint on a free port."""
    registry = CollectorRegistry()
    Counter("tidings_tests", "One metric.", registry=registry).inc()
    served = Health(clock, registry=registry)
    served.start()
    yield served
    served.stop()


def get(health: Health, path: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{health.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_starting_worker_lives_and_is_not_ready(health: Health) -> None:
    """Before the group has given it its share, a worker is live and not ready."""
    assert (get(health, "/live")[0], get(health, "/ready")[0]) == (200, 503)


def test_a_running_worker_is_ready(health: Health, clock: StillClock) -> None:
    """Running and assigned means ready, and the body says what it holds."""
    partitions = (Partition("inbox.a.b", 0),)
    health.observe(Snapshot(State.RUNNING, clock.monotonic(), assigned=True, partitions=partitions))

    status, body = get(health, "/ready")

    assert status == 200
    assert '"inbox.a.b/0"' in body


def test_a_probe_is_told_what_the_worker_says_of_itself(clock: StillClock) -> None:
    """Asked anew at each probe: a new policy may bring other executors."""
    said = {"projection": {"inbox.a.b": {"executor": "native", "why_not_native": ""}}}
    health = Health(clock, registry=CollectorRegistry(), about=lambda: said)
    health.start()
    try:
        first = json.loads(get(health, "/ready")[1])
        said = {"projection": {}}
        second = json.loads(get(health, "/live")[1])
    finally:
        health.stop()

    assert first["projection"]["inbox.a.b"]["executor"] == "native"
    assert second["projection"] == {}


def test_a_loop_that_stands_still_is_not_live(health: Health, clock: StillClock) -> None:
    """Without a turn for too long, neither live nor ready."""
    health.observe(Snapshot(State.RUNNING, clock.monotonic(), assigned=True))
    clock.advance(LIVE_WITHIN_S + 1)

    assert (get(health, "/live")[0], get(health, "/ready")[0]) == (503, 503)


@pytest.mark.parametrize("state", [State.STOPPING, State.STOPPED])
def test_a_stopping_worker_is_not_ready(health: Health, clock: StillClock, state: State) -> None:
    """A draining worker says so before it is gone."""
    health.observe(Snapshot(state, clock.monotonic(), assigned=True))

    assert get(health, "/ready")[0] == 503


def test_metrics_and_nothing_else(health: Health) -> None:
    """The registry's metrics are served; an unknown path is not found."""
    assert "tidings_tests_total 1.0" in get(health, "/metrics")[1]
    assert get(health, "/secrets")[0] == 404
