"""What a date can mean, read from an event's bytes: equal to `partial_dates.interval_of`, at a tenth of its price."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from tidings.partial_dates import DAY_MS, Interval, days_in_month, interval_of
from tidings.projection.generate_code import Unsupported
from tidings.projection.generate_masks import is_partial_date
from tidings.projection.generate_notes import Types
from tidings.projection.generate_runtime import long_at, text_at
from tidings.projection.structure import read_long

Meaning = tuple[int, int, bool]
"""The first and last millisecond since 1970, and whether they are instants rather than wall-clock readings."""
Reader = Callable[[bytes, int], Meaning | None]
"""From the body and where a date begins; None where it names no day, or nobody can say here."""

NO_DATE: tuple[()] = ()
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_FIRST_YEAR, _LAST_YEAR = 64, 8191
"""The years that take two bytes."""


def reader_of(types: Types, row: int) -> Reader:
    """How to read a date of this type. Raises Unsupported where the type is none that a check takes for a date."""
    kind = types[row]
    if kind.kind == "long":
        return _instant
    if kind.kind == "string":
        return _text
    if is_partial_date(types, row) and kind.names[3:5] == ("time", "zone"):
        inner = [types[of] for of in kind.of[3:5]]
        if all(of.kind == "union" and [types[each].kind for each in of.of] == ["null", "string"] for of in inner):
            return _partial
    raise Unsupported("a date of this type")


def in_order(firsts: Iterable[Meaning], thens: Iterable[Meaning]) -> bool:
    """Whether none of `firsts` is surely after one of `thens`."""
    late = list(thens)
    return not any(_interval(first).surely_after(_interval(then)) for first in firsts if first for then in late if then)


def day_ms(day: date) -> int:
    """The first millisecond of a day."""
    return (day.toordinal() - _EPOCH_DAY) * DAY_MS


def _interval(meaning: Meaning) -> Interval:
    return Interval(*meaning)


def _instant(body: bytes, at: int) -> Meaning:
    moment = long_at(body, at)
    return moment, moment, True


def _text(body: bytes, at: int) -> Meaning | None:
    return _meaning(interval_of(text_at(body, at).decode()))


def _meaning(interval: Interval | None) -> Meaning | None:
    return None if interval is None else (interval.earliest_ms, interval.latest_ms, interval.zoned)


def _months() -> dict[bytes, tuple[int, int]]:
    """By the bytes of a year and a month: the first millisecond of day 0 of the month, and how many days it has."""
    made = {}
    for year in range(1800, 2200):
        for month in range(1, 13):
            key = bytes([year << 1 & 0x7F | 0x80, year >> 6, 2, month << 1])
            made[key] = (day_ms(date(year, month, 1)) - DAY_MS, days_in_month(year, month))
    return made


_MONTHS = _months()


def _partial(body: bytes, at: int) -> Meaning | None:
    month = _MONTHS.get(body[at : at + 4])
    # A day that is known, in UTC or an unstated zone, with no time of day: most dates.
    if month is not None and body[at + 4 : at + 8 : 2] == b"\2\0" and body[at + 7] == 0:
        day = body[at + 5] >> 1
        if 0 < day <= month[1] and not body[at + 5] & 1:
            start = month[0] + day * DAY_MS
            return start, start + DAY_MS - 1, False
        return None
    return _meaning(interval_of(_decoded(body, at)))


def _decoded(body: bytes, at: int) -> dict[str, object]:
    year, at = read_long(body, at)
    made: dict[str, object] = {"year": year}
    for name in ("month", "day"):
        at += 1
        made[name] = None
        if body[at - 1]:
            made[name], at = read_long(body, at)
    for name in ("time", "zone"):
        at += 1
        made[name] = None
        if body[at - 1]:
            length, at = read_long(body, at)
            made[name] = body[at : at + length].decode()
            at += length
    return made
