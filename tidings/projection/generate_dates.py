"""What a date can mean, read from an event's bytes: equal to `partial_dates.interval_of`, at a tenth of its price."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from tidings.partial_dates import DAY_MS, Interval, interval_of
from tidings.projection.generate_code import Unsupported
from tidings.projection.generate_notes import Types
from tidings.projection.generate_runtime import long_at, text_at
from tidings.projection.generate_types import is_partial_date
from tidings.projection.structure import read_long

Meaning = tuple[int, int, bool]
"""The first and last millisecond since 1970, and whether they are instants rather than wall-clock readings."""
Reader = Callable[[bytes, int], Meaning | None]
"""From the body and where a date begins; None where it names no day, or nobody can say here."""

NO_DATE: tuple[()] = ()
_EPOCH_DAY = date(1970, 1, 1).toordinal()


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


KEY_BYTES = 8
"""So many bytes have a date of our age with its month and day and neither a time nor a zone: they say it all."""
_KNOWN: dict[bytes, Meaning] = {}
known_date = _KNOWN.get
"""What the date whose bytes these are was found to mean, if it was met before."""
_REMEMBERED = 65_536
"""More than the days of a lifetime."""


def _partial(body: bytes, at: int) -> Meaning | None:
    key = body[at : at + KEY_BYTES]
    known = _KNOWN.get(key)
    if known is None:
        parts, end = _decoded(body, at)
        known = _meaning(interval_of(parts))
        if known is not None and end - at <= KEY_BYTES:
            if len(_KNOWN) >= _REMEMBERED:
                _KNOWN.clear()
            _KNOWN[key] = known
    return known


def _decoded(body: bytes, at: int) -> tuple[dict[str, object], int]:
    """The parts of a PartialDate that say when it is, and where they end."""
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
    return made, at
