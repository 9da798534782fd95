"""Dates in a declared format, read as strictly as they are declared: to a PartialDate, or to an instant in a zone.

A format is text with `strftime`'s directives, of which these are taken: `%Y` (four digits), `%m %d %H %M %S` (two),
`%-m %-d %-H` (one or two), `%b` and `%B` (English months), `%f` (one to nine digits of a second), `%z` (`Z`, `+01:00`
or `+0100`), `%%`. A year of two digits has no century and is not taken. Source: POSIX strftime, Python's `%f`, `%z`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIRECTIVES = {
    "%Y": "(?P<year>[0-9]{4})",
    "%m": "(?P<month>[0-9]{2})",
    "%-m": "(?P<month>[0-9]{1,2})",
    "%b": f"(?P<word>{'|'.join(name[:3] for name in _MONTHS)})",
    "%B": f"(?P<word>{'|'.join(_MONTHS)})",
    "%d": "(?P<day>[0-9]{2})",
    "%-d": "(?P<day>[0-9]{1,2})",
    "%H": "(?P<hour>[0-9]{2})",
    "%-H": "(?P<hour>[0-9]{1,2})",
    "%M": "(?P<minute>[0-9]{2})",
    "%S": "(?P<second>[0-9]{2})",
    "%f": "(?P<fraction>[0-9]{1,9})",
    "%z": "(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})",
    "%%": "%",
}
_TOKEN = re.compile(r"%-?.|[^%]", re.DOTALL)


def is_zone(name: str) -> bool:
    """Whether the IANA database has a zone of this name."""
    try:
        return bool(name) and ZoneInfo(name) is not None
    except (OSError, ValueError, KeyError):
        return False


class DateFormat:
    """One declared format, compiled. Raises ValueError, with words for whoever wrote it, where it is none."""

    def __init__(self, text: str) -> None:
        self.text = text
        pattern = ""
        for token in _TOKEN.findall(text):
            if token[0] == "%" and token not in _DIRECTIVES:
                raise ValueError(f"{token} is not taken in a format; known: {' '.join(_DIRECTIVES)}")
            pattern += _DIRECTIVES.get(token, re.escape(token))
        if text.count("%") != sum(token.count("%") for token in _TOKEN.findall(text)):
            raise ValueError("a format must not end with a lone %")
        try:
            self._pattern = re.compile(rf"{pattern}\Z", re.IGNORECASE | re.ASCII)
        except re.error:
            raise ValueError("a format says each part once") from None
        self.parts = frozenset(self._pattern.groupindex)
        if {"month", "word"} <= self.parts:
            raise ValueError("a format says each part once")
        if "year" not in self.parts:
            raise ValueError("a format has a year of four digits: %Y")
        if "day" in self.parts and not self.parts & {"month", "word"}:
            raise ValueError("a format with a day has a month")
        if self.parts & {"hour", "minute", "second", "fraction"} and not {"hour", "minute", "day"} <= self.parts:
            raise ValueError("a format with a time has a day, an hour and a minute")
        if "fraction" in self.parts and "second" not in self.parts:
            raise ValueError("a format with a fraction has a second")

    def __repr__(self) -> str:
        return f"DateFormat({self.text!r})"

    def partial(self, text: str, zone: str, *, zeros_unknown: bool) -> dict[str, Any] | None:
        """The PartialDate of a text; None where it is not of this format. The day may not exist: the exchange judges.

        A time is in `zone` unless the text has an offset. With `zeros_unknown` a month or day 00 is not known.
        """
        found = self._pattern.match(text)
        if found is None:
            return None
        parts = found.groupdict()
        month, day = _month(parts), _number(parts.get("day"))
        if zeros_unknown:
            month = month or None
            day = (day or None) if month is not None else None
        return {
            "year": int(parts["year"]),
            "month": month,
            "day": day,
            "time": _time(parts),
            "zone": (parts.get("zone") or zone) if parts.get("hour") is not None else None,
            "text": None,
            "verification": None,
        }

    def instant_ms(self, text: str, zone: str) -> int | None:
        """Milliseconds since 1970 UTC of a text; None where it is not of this format or no such moment exists.

        Of an hour that comes twice, the first is meant; one that the clocks leave out does not exist.
        """
        found = self._pattern.match(text)
        if found is None:
            return None
        parts = found.groupdict()
        fraction = (parts.get("fraction") or "0").ljust(3, "0")[:3]
        try:
            at = datetime(  # noqa: DTZ001 (the zone is set below)
                int(parts["year"]), _month(parts) or 0, int(parts["day"]), int(parts.get("hour") or 0),
                int(parts.get("minute") or 0), int(parts.get("second") or 0), int(fraction) * 1000,
            )  # fmt: skip
            at = at.replace(tzinfo=_offset(parts["zone"]) if parts.get("zone") else _zoneinfo(zone))
            there = at.astimezone(UTC)
            if there.astimezone(at.tzinfo).replace(tzinfo=None) != at.replace(tzinfo=None):
                return None
        except (ValueError, OverflowError):
            return None
        return (there - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=64)
def _zoneinfo(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _offset(text: str) -> timezone:
    if text in ("Z", "z"):
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=minutes if text[0] == "+" else -minutes))


def _month(parts: dict[str, Any]) -> int | None:
    word = parts.get("word")
    if word is not None:
        return next(at for at, name in enumerate(_MONTHS, 1) if name[:3] == word.lower()[:3])
    return _number(parts.get("month"))


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _time(parts: dict[str, Any]) -> str | None:
    if parts.get("hour") is None:
        return None
    time = f"{parts['hour']:0>2}:{parts['minute']}"
    if parts.get("second") is None:
        return time
    return f"{time}:{parts['second']}" + (f".{parts['fraction']}" if parts.get("fraction") else "")
