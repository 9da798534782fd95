"""A date names a day that exists: no 30 February, no month 13, no day without its month, no time 25:00."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.checks.base import EachValue, Example
from tidings.errors import ReasonCode
from tidings.partial_dates import exists, from_text


class DateExists(EachValue):
    """Judges PartialDates, and texts that are ISO 8601 dates whole or cut off (a register's `datetime`)."""

    name = "date_exists"
    code = ReasonCode.DATE_IMPOSSIBLE
    summary = "The year, month, day and time exist in the calendar."
    takes = frozenset({"partial_date", "string"})
    accepts = (
        Example(("born",), {}, {"born": {"year": 2024, "month": 2, "day": 29}}),
        Example(("born",), {}, {"born": {"year": 1871}}),
        Example(("born",), {}, {"born": "1990-10-02"}),
    )
    refuses = (
        Example(("born",), {}, {"born": {"year": 2023, "month": 2, "day": 30}}, ("born",)),
        Example(("born",), {}, {"born": {"year": 2023, "month": 13}}, ("born",)),
        Example(("born",), {}, {"born": {"year": 2023, "day": 4}}, ("born",)),
        Example(("born",), {}, {"born": {"year": 2023, "month": 2, "day": 1, "time": "25:00"}}, ("born",)),
        Example(("born",), {}, {"born": "2016-05-32"}, ("born",)),
    )

    def _holds(self, value: Any, now_ms: int) -> bool:
        del now_ms
        if type(value) is dict:
            return exists(value)
        parts = from_text(value) if isinstance(value, str) else value
        return isinstance(parts, Mapping) and exists(parts)
