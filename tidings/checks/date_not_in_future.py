"""A date is not in the future: fails only when every reading of it is, with a day of slack for zones."""

from __future__ import annotations

from typing import Any

from tidings.checks.base import EachValue, Example
from tidings.errors import ReasonCode
from tidings.partial_dates import interval_of


class DateNotInFuture(EachValue):
    """Judges PartialDates, timestamps and ISO 8601 texts. A date that does not exist passes: that is
    `date_exists`'s."""

    name = "date_not_in_future"
    code = ReasonCode.DATE_IN_FUTURE
    summary = "The earliest instant that the date can mean is not after now (a day of slack covers every time zone)."
    takes = frozenset({"partial_date", "timestamp", "string"})
    accepts = (
        Example(("died",), {}, {"died": {"year": 2026}}),
        Example(("died",), {}, {"died": {"year": 2026, "month": 6, "day": 2}}),
        Example(("recorded_at",), {}, {"recorded_at": 1_780_315_200_000}),
    )
    refuses = (
        Example(("died",), {}, {"died": {"year": 2027}}, ("died",)),
        Example(("died",), {}, {"died": {"year": 2026, "month": 6, "day": 4}}, ("died",)),
        Example(("recorded_at",), {}, {"recorded_at": 1_780_315_200_000 + 2 * 86_400_000}, ("recorded_at",)),
    )

    def _holds(self, value: Any, now_ms: int) -> bool:
        interval = interval_of(value)
        return interval is None or not interval.surely_in_future(now_ms)
