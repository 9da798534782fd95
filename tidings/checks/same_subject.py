"""Two parts of a message that name the same person do not contradict each other: a routing header and its payload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tidings.catalogue import walk
from tidings.checks.base import Check, Event, Example, Params, ReferenceLists
from tidings.errors import ReasonCode
from tidings.partial_dates import interval_of
from tidings.policy.model import CheckRule


class SameSubjectParams(Params):
    """`first` and `then` are dotted paths; both lead to identifiers, or both to PartialDates."""

    first: str
    then: str


class SameSubject(Check):
    """Judges records of scheme and value, and PartialDates.

    Ids are compared within a scheme: at fault where both sides have one of it and share none. Dates are at fault where
    no reading of any two is of one time. The finding is at `then`. Nobody guesses which of the two is meant: to take
    the header's person would declare a living person dead.
    """

    name = "same_subject"
    code = ReasonCode.SUBJECT_MISMATCH
    summary = "`first` and `then` may be the same person's: a shared id in each scheme that both have, a shared day."
    params_model = SameSubjectParams
    takes = frozenset({"identifier", "partial_date"})
    names_subject = True
    accepts = (
        Example(
            (),
            {"first": "subject", "then": "header"},
            {"subject": {"scheme": "nhs_number", "value": "9990000018"}, "header": None},
        ),
        Example(
            (),
            {"first": "ids", "then": "header"},
            {
                "ids": [{"scheme": "nhs_number", "value": "9990000018"}, {"scheme": "hospital", "value": "1"}],
                "header": {"scheme": "nhs_number", "value": "9990000018"},
            },
        ),
        Example(
            (),
            {"first": "subject", "then": "header"},
            {"subject": {"scheme": "gro_registration", "value": "1"}, "header": {"scheme": "nhs_number", "value": "2"}},
        ),
        Example(
            (), {"first": "born", "then": "header"}, {"born": {"year": 2017}, "header": {"year": 2017, "month": 3}}
        ),
    )
    refuses = (
        Example(
            (),
            {"first": "subject", "then": "header"},
            {
                "subject": {"scheme": "nhs_number", "value": "9990000018"},
                "header": {"scheme": "nhs_number", "value": "9990000026"},
            },
            ("header",),
        ),
        Example(
            ("header",),
            {"first": "born", "then": "header"},
            {"born": {"year": 2019, "month": 10, "day": 2}, "header": {"year": 2017, "month": 10, "day": 2}},
            ("header",),
        ),
        Example(
            (), {"first": "born", "then": "header"}, {"born": {"year": 2017}, "header": {"year": 2019}}, ("header",)
        ),
    )

    @classmethod
    def paths_of(cls, rule: CheckRule) -> tuple[str, ...]:
        """See `Check.paths_of`: the two of the parameters, whatever the rule's own paths repeat."""
        params = cls.read_params(rule.params)
        assert isinstance(params, SameSubjectParams)  # noqa: S101 (narrows the type for mypy)
        return params.first, params.then

    def _set_up(self, paths: tuple[str, ...], params: Any, lists: ReferenceLists) -> None:
        del lists
        self._then = params.then
        self._firsts, self._thens = walk.getter(params.first), walk.getter(params.then)
        if not set(paths) <= {params.first, params.then}:
            raise ValueError("paths names a path that is neither params.first nor params.then")

    def find(self, event: Event, now_ms: int) -> Iterable[str]:
        """See `Check.find`."""
        del now_ms
        thens = self._thens(event)
        firsts = self._firsts(event) if thens else ()
        return (self._then,) if _contradict(_ids(firsts), _ids(thens)) or _are_apart(firsts, thens) else ()


def _ids(values: Iterable[Any]) -> dict[str, set[str]]:
    """The values of each scheme."""
    found: dict[str, set[str]] = {}
    for each in values:
        if isinstance(each, Mapping) and isinstance(each.get("scheme"), str) and each.get("value") is not None:
            found.setdefault(each["scheme"], set()).add(each["value"])
    return found


def _contradict(first: Mapping[str, set[str]], then: Mapping[str, set[str]]) -> bool:
    return any(scheme in first and first[scheme].isdisjoint(values) for scheme, values in then.items())


def _are_apart(first: Iterable[Any], then: Iterable[Any]) -> bool:
    firsts = [interval for each in first if (interval := interval_of(each)) is not None]
    thens = [interval for each in then if (interval := interval_of(each)) is not None]
    pairs = [(one, other) for one in firsts for other in thens]
    return bool(pairs) and all(one.surely_after(other) or other.surely_after(one) for one, other in pairs)
