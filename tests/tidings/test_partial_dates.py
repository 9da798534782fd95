"""Partial dates as intervals."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.partial_dates import DAY_MS, ZONE_SLACK_MS, Interval, exists, from_text, full_day, instant, interval_of

DAYS = st.dates(min_value=date(1, 1, 2), max_value=date(9999, 12, 30))
ZONES = st.sampled_from([None, "Europe/London", "Pacific/Auckland", "Z", "-05:30", "no/where"])


def partial(day: date, parts: int = 3, **more: Any) -> dict[str, Any]:
    """A PartialDate with the first `parts` of year, month and day."""
    return {"year": day.year, "month": day.month if parts > 1 else None, "day": day.day if parts > 2 else None, **more}


def interval(value: object) -> Interval:
    """The interval of a value that has one."""
    found = interval_of(value)
    assert found is not None
    return found


@given(DAYS, ZONES)
def test_less_said_is_wider(day: date, zone: str | None) -> None:
    """A year contains its months, a month its days, a day its times."""
    year, month, whole = (interval(partial(day, parts, zone=zone)) for parts in (1, 2, 3))
    minute = interval(partial(day, zone=zone, time="12:34"))

    assert year.earliest_ms <= month.earliest_ms <= whole.earliest_ms <= minute.earliest_ms
    assert minute.latest_ms <= whole.latest_ms <= month.latest_ms <= year.latest_ms


@given(DAYS, DAYS, st.integers(1, 3), st.integers(1, 3))
def test_true_order_is_never_refused(one: date, other: date, parts_one: int, parts_other: int) -> None:
    """Two dates in order pass however little of each is said, in whatever zones they were written down."""
    first, then = sorted((one, other))

    for zone in (None, "Pacific/Kiritimati"):
        assert not interval(partial(first, parts_one)).surely_after(interval(partial(then, parts_other, zone=zone)))


@given(DAYS, st.integers(1, 400))
def test_whole_days_out_of_order_are_refused(day: date, apart: int) -> None:
    """A birth on the day after the death is impossible when both are whole dates of the same unstated zone."""
    try:
        later = day + timedelta(days=apart)
    except OverflowError:
        return

    assert interval(partial(later)).surely_after(interval(partial(day)))
    assert not interval(partial(day)).surely_after(interval(partial(later)))


@given(DAYS, st.integers(0, DAY_MS - 1))
def test_an_instant_of_the_day_is_never_after_it(day: date, of_day: int) -> None:
    """A death recorded at any instant of its own day, in any zone, passes; more than a day before it does not."""
    start = interval(partial(day)).earliest_ms

    assert not interval(partial(day)).surely_after(instant(start + of_day - 14 * 3_600_000))
    assert interval(partial(day)).surely_after(instant(start - ZONE_SLACK_MS - 1))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"year": 2024, "month": 2, "day": 29}, True),
        ({"year": 2023, "month": 2, "day": 29}, False),
        ({"year": 1900, "month": 2, "day": 29}, False),
        ({"year": 2000, "month": 2, "day": 29}, True),
        ({"year": 2023, "month": 13}, False),
        ({"year": 2023, "month": 0}, False),
        ({"year": 2023, "day": 1}, False),
        ({"year": 0}, False),
        ({"year": 10000}, False),
        ({"year": 2023, "month": 1, "day": 1, "time": "24:00"}, False),
        ({"year": 2023, "month": 1, "day": 1, "time": "23:59:59.999"}, True),
        ({"year": 2023, "month": 1, "day": 1, "time": "about noon"}, False),
    ],
)
def test_exists(value: dict[str, Any], expected: bool) -> None:
    """The calendar, leap years and their exceptions included, decides what exists."""
    assert expected == exists(value)


def test_a_zone_makes_an_instant() -> None:
    """British summer time is an hour ahead: noon in London is 11:00 UTC."""
    noon = {"year": 2026, "month": 6, "day": 1, "time": "12:00:00", "zone": "Europe/London"}

    assert interval({**noon, "zone": "Z"}).earliest_ms - 3_600_000 == interval(noon).earliest_ms
    assert interval(noon).zoned


def test_an_hour_that_happens_twice_is_two_hours() -> None:
    """When clocks go back, 01:30 in London may be either of two instants an hour apart."""
    twice = interval({"year": 2025, "month": 10, "day": 26, "time": "01:30:00", "zone": "Europe/London"})

    assert twice.latest_ms - twice.earliest_ms == 3_600_999


def test_future_has_a_day_of_slack() -> None:
    """Tomorrow may be today elsewhere; the day after the day after tomorrow is the future everywhere."""
    now_ms = 1_780_315_200_000  # 2026-06-01T12:00Z

    assert not interval({"year": 2026, "month": 6, "day": 2}).surely_in_future(now_ms)
    assert interval({"year": 2026, "month": 6, "day": 4}).surely_in_future(now_ms)


@pytest.mark.parametrize("text", ["", "17", "2017-7", "2017-07-17T", "2017/07/17", "٢٠١٧", "2017-07-17\n"])
def test_other_texts_are_no_dates(text: str) -> None:
    """Only ISO 8601, whole or cut off, is read."""
    assert from_text(text) is None


def test_full_day_needs_a_day() -> None:
    """A month is no day, and a day that does not exist is none."""
    assert [date(1905, 5, 27), None, None] == [full_day("1905-05-27"), full_day("1905-05"), full_day("1905-02-30")]


def test_no_value_in_repr() -> None:
    """An interval does not print what it was made of."""
    assert repr(interval({"year": 1998})) == "Interval(…)"
