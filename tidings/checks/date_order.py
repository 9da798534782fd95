"""One date is not after another: fails only when no reading of the two puts them in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tidings.catalogue import walk
from tidings.checks.base import Check, Event, Example, Params, ReferenceLists
from tidings.errors import ReasonCode
from tidings.partial_dates import interval_of
from tidings.policy.model import CheckRule


class DateOrderParams(Params):
    """`first` and `then` are dotted paths."""

    first: str
    then: str


class DateOrder(Check):
    """Judges PartialDates, timestamps (`recorded_at`) and ISO 8601 texts, in any mixture.

    The finding is at `then`. Where both paths go through the same array (`addresses.period.start`,
    `addresses.period.end`), they are compared within each element; else every `first` stands against every `then`.
    Dates that do not exist pass.
    """

    name = "date_order"
    code = ReasonCode.DATE_ORDER
    summary = "`first` is not after `then`: refused only where the earliest `first` is after the latest `then`."
    params_model = DateOrderParams
    takes = frozenset({"partial_date", "timestamp", "string"})
    accepts = (
        Example((), {"first": "born", "then": "died"}, {"born": {"year": 1998}, "died": {"year": 1998, "month": 1}}),
        Example((), {"first": "born", "then": "died"}, {"born": {"year": 2020, "month": 5, "day": 1}, "died": None}),
        Example(
            (),
            {"first": "homes.start", "then": "homes.end"},
            {"homes": [{"start": {"year": 2001}, "end": {"year": 2003}}, {"start": {"year": 2004}, "end": None}]},
        ),
        # 1 June 2026 at noon UTC is already 2 June in Auckland.
        Example(
            (),
            {"first": "died", "then": "recorded_at"},
            {"died": {"year": 2026, "month": 6, "day": 2}, "recorded_at": 1_780_315_200_000},
        ),
    )
    refuses = (
        Example(
            (),
            {"first": "born", "then": "died"},
            {"born": {"year": 2019, "month": 9}, "died": {"year": 2002, "month": 4}},
            ("died",),
        ),
        Example(
            ("died",),
            {"first": "died", "then": "recorded_at"},
            {"died": {"year": 2016, "month": 10}, "recorded_at": 53_523_541_000},
            ("recorded_at",),
        ),
        Example(
            (),
            {"first": "homes.start", "then": "homes.end"},
            {
                "homes": [
                    {"start": {"year": 2001}, "end": {"year": 2004}},
                    {"start": {"year": 2004}, "end": {"year": 2003}},
                ]
            },
            ("homes.end",),
        ),
        Example(
            (),
            {"first": "born", "then": "died"},
            {"born": {"year": 2020, "month": 1, "day": 2}, "died": {"year": 2020, "month": 1, "day": 1}},
            ("died",),
        ),
    )

    @classmethod
    def paths_of(cls, rule: CheckRule) -> tuple[str, ...]:
        """See `Check.paths_of`: the two of the parameters, whatever the rule's own paths repeat."""
        params = cls.read_params(rule.params)
        assert isinstance(params, DateOrderParams)  # noqa: S101 (narrows the type for mypy)
        return params.first, params.then

    def _set_up(self, paths: tuple[str, ...], params: Any, lists: ReferenceLists) -> None:
        del lists
        self._first, self._then = params.first, params.then
        first, then = params.first.split("."), params.then.split(".")
        same = 0
        while same < min(len(first), len(then)) - 1 and first[same] == then[same]:
            same += 1
        self._around = ".".join(first[:same])
        self._records = walk.getter(self._around) if self._around else None
        self._firsts, self._thens = walk.getter(".".join(first[same:])), walk.getter(".".join(then[same:]))
        if not set(paths) <= {self._first, self._then}:
            raise ValueError("paths names a path that is neither params.first nor params.then")

    def find(self, event: Event, now_ms: int) -> Iterable[str]:
        """See `Check.find`."""
        del now_ms
        if self._records is None:
            return (self._then,) if self._is_out_of_order(event) else ()
        return (self._then,) if any(map(self._is_out_of_order, self._records(event))) else ()

    def _is_out_of_order(self, record: Event) -> bool:
        for value in self._thens(record):
            then = interval_of(value)
            if then is None:
                continue
            for earlier in self._firsts(record):
                first = interval_of(earlier)
                if first is not None and first.surely_after(then):
                    return True
        return False
