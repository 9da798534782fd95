"""Several relays of one process: they end together, and the first failure is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from producers.outbox.metrics import OUTBOX_METRICS, SLOTS, HeldSlots
from producers.outbox.run_relay import run_together
from tidings.errors import Fatal
from tidings.metrics import MetricStore

Question = Callable[[], bool]


def test_all_run_at_once_until_told_to_end() -> None:
    """Each is in a thread of its own, and hears the end."""
    met, told, ended = threading.Barrier(3), threading.Event(), []

    def run(going_on: Question) -> None:
        met.wait(10)
        told.set()
        while going_on():
            told.wait()
        ended.append(1)

    run_together(3, run, lambda: not told.is_set())

    assert ended == [1, 1, 1]


def test_where_one_fails_the_others_end() -> None:
    """What the failed one raised is raised, once all have ended."""
    met, ended = threading.Barrier(2), []

    def run(going_on: Question) -> None:
        if met.wait(10) == 0:
            raise Fatal("a defect")
        while going_on():
            pass
        ended.append(1)

    with pytest.raises(Fatal, match="a defect"):
        run_together(2, run, lambda: True)

    assert ended == [1]


def test_slots_are_counted_together() -> None:
    """Of a relay that began again under another number, the old one has none."""
    store = MetricStore(OUTBOX_METRICS)
    held = HeldSlots(store)
    for relay, slots in ((1, 2), (2, 2), (1, 0), (3, 1)):
        held.say(relay, slots)

    assert store.value(SLOTS) == 3
