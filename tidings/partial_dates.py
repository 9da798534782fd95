"""Dates as intervals: what a partial date can mean at the earliest and at the latest, so that a check fails only what
is impossible.

A `PartialDate` (year, month?, day?, time?, zone?) covers the whole year where the month is missing, the whole month
where the day is, the whole day where the time is. All instants are milliseconds since 1970-01-01T00:00:00Z and an
interval has both ends in it. Source: the proleptic Gregorian calendar of ISO 8601; zones by the IANA database or an
offset.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000
ZONE_SLACK_MS = DAY_MS
"""How far a date without a zone may be from the same date in UTC: zones run from -12:00 to +14:00, so a day covers
each."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?\Z")
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})\Z")
_TEXT = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9:.]+)(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?\Z"
)  # the register's datetime: a year, a month, a day or an instant


class Interval(NamedTuple):
    """From `earliest_ms` to `latest_ms`, both in it. `zoned` says whether they are instants (true) or wall-clock
    readings in a zone that nobody stated (false). A tuple, because several are made for every event."""

    earliest_ms: int
    latest_ms: int
    zoned: bool

    def __repr__(self) -> str:
        return "Interval(…)"

    def surely_after(self, other: Interval) -> bool:
        """Whether no reading of both puts this at or before `other`. Two dates without a zone are of the same unstated
        zone; one with and one without may be `ZONE_SLACK_MS` apart."""
        slack = 0 if self.zoned == other.zoned else ZONE_SLACK_MS
        return self.earliest_ms - slack > other.latest_ms

    def surely_in_future(self, now_ms: int) -> bool:
        """Whether every reading is after `now_ms`, with a day of slack for zones and for clocks that are wrong."""
        return self.earliest_ms - ZONE_SLACK_MS > now_ms


def instant(at_ms: int) -> Interval:
    """The interval of one instant."""
    return Interval(at_ms, at_ms, True)


def interval_of(value: object) -> Interval | None:
    """What `value` can mean: a PartialDate (mapping), a timestamp in milliseconds (int) or an ISO 8601 text, whole or
    cut off.

    None where it is nothing of the kind or names a day, month or time that does not exist. Never raises.
    """
    if type(value) is dict:
        return _reading(value)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return instant(value)
    if isinstance(value, str):
        parts = from_text(value)
        return None if parts is None else interval_of(parts)
    return _reading(value) if isinstance(value, Mapping) else None


def exists(value: Mapping[str, Any]) -> bool:
    """Whether a PartialDate names a year (1 to 9999), month, day and time that exist; a day needs its month. Never
    raises."""
    return _reading(value) is not None


def _reading(value: Mapping[str, Any]) -> Interval | None:
    get = value.get
    parts = get("year"), get("month"), get("day"), get("time"), get("zone")
    try:
        return _read(*parts)
    except TypeError:  # a part that cannot be looked up, such as a list
        return _read.__wrapped__(*parts)


# The same few thousand days come again and again, each several times an event. `typed`: 2023.0 is no year, True no day.
@lru_cache(maxsize=32_768, typed=True)
def _read(year: Any, month: Any, day: Any, time: Any, zone: Any) -> Interval | None:
    return _interval(year, month, day, time, zone) if _exists(year, month, day, time) else None


def _exists(year: Any, month: Any, day: Any, time: Any) -> bool:
    if not isinstance(year, int) or not 1 <= year <= 9999:
        return False
    if month is None:
        return day is None
    if not 1 <= month <= 12:
        return False
    if day is not None and not 1 <= day <= days_in_month(year, month):
        return False
    return time is None or _time_ms(time) is not None


def days_in_month(year: int, month: int) -> int:
    """How many days the month has. `year` 1 to 9999, `month` 1 to 12."""
    if month == 12:
        return 31
    return (date(year, month + 1, 1) - date(year, month, 1)).days


def from_text(text: str) -> dict[str, Any] | None:
    """The PartialDate of an ISO 8601 text (`2017`, `2017-07`, `2017-07-17`, `2017-07-17T10:59:47Z`); None where it is
    none.

    The day may not exist: ask `exists`.
    """
    match = _TEXT.match(text)
    if match is None:
        return None
    year, month, day, time, zone = match.groups()
    return {
        "year": int(year),
        "month": None if month is None else int(month),
        "day": None if day is None else int(day),
        "time": time,
        "zone": zone,
        "text": None,
        "verification": None,
    }


def full_day(value: object) -> date | None:
    """The calendar day of a PartialDate or an ISO text that has one; None for a partial one, an instant or no date."""
    if isinstance(value, str):
        value = from_text(value)
    if not isinstance(value, Mapping) or value.get("day") is None or not exists(value):
        return None
    return date(value["year"], value["month"], value["day"])


def _interval(year: int, month: int | None, day: int | None, time: object, named_zone: object) -> Interval:
    first = date(year, month or 1, day or 1)
    last = date(year, month or 12, day or days_in_month(year, month or 12))
    start, end = _wall_ms(first), _wall_ms(last) + DAY_MS - 1
    if time is not None and day is not None:
        of_day = _time_ms(time)
        if of_day is not None:
            start, end = _wall_ms(first) + of_day[0], _wall_ms(first) + of_day[1]
    zone = _zone(named_zone)
    if zone is None:
        return Interval(start, end, zoned=False)
    # A wall-clock time that happens twice when clocks go back has two readings: the first one and the last one count.
    return Interval(start - _offset_ms(start, zone, fold=0), end - _offset_ms(end, zone, fold=1), zoned=True)


def _wall_ms(day: date) -> int:
    return (day.toordinal() - _EPOCH_DAY) * DAY_MS


def _time_ms(text: object) -> tuple[int, int] | None:
    """The first and last millisecond of the day that a time of day covers: a minute, a second or less."""
    match = _TIME.match(text) if isinstance(text, str) else None
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    start = ((hour * 60 + minute) * 60 + second) * 1000
    if match[3] is None:
        return start, start + 59_999
    if match[4] is None:
        return start, start + 999
    at = start + int(match[4][:3].ljust(3, "0"))
    return at, at


@lru_cache(maxsize=256)
def _zone(name: object) -> tzinfo | None:
    """The zone of an IANA name, `Z` or an offset; None where it is missing or nobody knows it."""
    if not isinstance(name, str) or not name:
        return None
    if name in ("Z", "UTC"):
        return UTC
    match = _OFFSET.match(name)
    if match is not None:
        minutes = int(match[2]) * 60 + int(match[3])
        if minutes >= 24 * 60:
            return None
        return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes))
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):  # not in the database, or no name at all (ZoneInfoNotFoundError is a KeyError)
        return None
    except KeyError:
        return None


def _offset_ms(wall_ms: int, zone: tzinfo, *, fold: int) -> int:
    """How far `zone` is ahead of UTC at a wall-clock reading, in milliseconds."""
    wall = datetime(1970, 1, 1) + timedelta(milliseconds=wall_ms)  # noqa: DTZ001 (a wall-clock reading has no zone yet)
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    return 0 if offset is None else offset // timedelta(milliseconds=1)
