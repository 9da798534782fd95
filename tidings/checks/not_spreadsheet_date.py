"""A date is not a year that a spreadsheet took for a day number: 1974 typed into a date cell reads 1905-05-27."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tidings.checks.base import EachValue, Example
from tidings.errors import ReasonCode
from tidings.partial_dates import full_day

_DAY_ZERO = date(1899, 12, 30)
FIRST_DAY = _DAY_ZERO + timedelta(days=1900)
LAST_DAY = _DAY_ZERO + timedelta(days=2100)
"""1905-03-14 to 1905-09-30: the days numbered 1900 to 2100. Source: Excel's 1900 date system, in which day 1 is
1900-01-01 and a 29 February 1900 that never was is counted."""


class NotSpreadsheetDate(EachValue):
    """Judges PartialDates with a day, and ISO 8601 texts. A real day of those months is refused too: so use severity
    `flag`."""

    name = "not_spreadsheet_date"
    code = ReasonCode.SPREADSHEET_DATE
    summary = "The day is not between 1905-03-14 and 1905-09-30, where a year read as a spreadsheet's day number lands."
    takes = frozenset({"partial_date", "string"})
    accepts = (
        Example(("start-date",), {}, {"start-date": "1974-04-01"}),
        Example(("born",), {}, {"born": {"year": 1905}}),
        Example(("born",), {}, {"born": {"year": 1905, "month": 10, "day": 1}}),
    )
    refuses = (
        Example(("start-date",), {}, {"start-date": "1905-05-27"}, ("start-date",)),
        Example(("born",), {}, {"born": {"year": 1905, "month": 3, "day": 14}}, ("born",)),
    )

    def _holds(self, value: Any, now_ms: int) -> bool:
        del now_ms
        day = full_day(value)
        return day is None or not FIRST_DAY <= day <= LAST_DAY
