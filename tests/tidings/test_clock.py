"""Clocks, days and deadlines."""

from __future__ import annotations

from datetime import date

import pytest

from tidings.clock import Deadline, StillClock, SystemClock, utc_date


def test_a_still_clock_moves_only_when_told() -> None:
    """Sleeping moves it on by itself."""
    clock = StillClock()
    before = clock.now_ms()

    clock.sleep(1.5)

    assert clock.now_ms() - before == 1_500
    assert clock.monotonic() * 1000 == clock.now_ms()


@pytest.mark.parametrize(
    ("now_ms", "day"),
    [(0, date(1970, 1, 1)), (-1, date(1969, 12, 31)), (1_780_271_999_999, date(2026, 5, 31)),
     (1_780_272_000_000, date(2026, 6, 1))],
)  # fmt: skip
def test_a_day_begins_at_midnight_utc(now_ms: int, day: date) -> None:
    """To the millisecond, whatever the machine's own zone."""
    assert utc_date(now_ms) == day


def test_a_deadline_is_one_budget() -> None:
    """It runs out once, and never below nothing."""
    clock = StillClock()
    deadline = Deadline(clock, 2.0)
    assert (deadline.remaining(), deadline.expired()) == (2.0, False)

    clock.advance(2.0)
    assert deadline.expired()
    clock.advance(5.0)
    assert deadline.remaining() == 0.0


def test_the_systems_clock_goes_on() -> None:
    """Wall time is after the design was written; the counter never goes back."""
    clock = SystemClock()
    first = clock.monotonic()
    clock.sleep(0)

    assert clock.now_ms() > 1_577_836_800_000
    assert clock.monotonic() >= first
