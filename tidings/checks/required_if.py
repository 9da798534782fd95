"""A field has a value, unless the change or another field says that it need not: what a schema's `null` cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tidings.catalogue import walk
from tidings.checks.base import Check, Event, Example, Params, ReferenceLists
from tidings.errors import ReasonCode


class When(Params):
    """The rule applies where a value at `path` is one of `values`; without `values`, where there is any value."""

    path: str
    values: tuple[str | int | bool, ...] = ()


class RequiredIfParams(Params):
    """`unless_change` lists changes for which the field may be missing, `unless_given` fields any of which stands for
    it (the words where a source has no date); `when` narrows the rule further."""

    unless_change: tuple[str, ...] = ()
    unless_given: tuple[str, ...] = ()
    when: When | None = None


class RequiredIf(Check):
    """A text of blanks only counts as missing, so does an empty array."""

    name = "required_if"
    code = ReasonCode.REQUIRED_MISSING
    summary = (
        "The field has a value, unless `change` is one of `unless_change`, a field of `unless_given` has one or `when` "
        "does not hold."
    )
    params_model = RequiredIfParams
    takes = frozenset({"any"})
    accepts = (
        Example(("names",), {}, {"names": [{"family": "SMITH"}]}),
        Example(("names",), {"unless_change": ["ANNULLED"]}, {"change": "ANNULLED", "names": []}),
        Example(("reason",), {"when": {"path": "change", "values": ["CORRECTED"]}}, {"change": "CREATED"}),
        Example(("died",), {"unless_given": ["words"]}, {"died": None, "words": "between two censuses"}),
        Example(("spouse",), {"when": {"path": "married", "values": [True]}}, {"married": False}),
    )
    refuses = (
        Example(("names",), {}, {"change": "CREATED", "names": []}, ("names",)),
        Example(("died",), {"unless_given": ["words"]}, {"died": None, "words": " "}, ("died",)),
        Example(("names", "sex"), {}, {"names": None, "sex": None}, ("names", "sex")),
        Example(("names.family",), {}, {"names": [{"family": " "}]}, ("names.family",)),
        Example(
            ("reason",), {"when": {"path": "change", "values": ["CORRECTED"]}}, {"change": "CORRECTED"}, ("reason",)
        ),
        Example(("end",), {"when": {"path": "start"}}, {"start": {"year": 2001}, "end": None}, ("end",)),
    )

    @classmethod
    def named_by(cls, params: Mapping[str, Any]) -> tuple[str, ...]:
        """See `Check.named_by`: the path of `when`, and `unless_given`."""
        when = params.get("when")
        path = when.get("path") if isinstance(when, Mapping) else None
        return (*params.get("unless_given", ()), *((path,) if isinstance(path, str) else ()))

    def _set_up(self, paths: tuple[str, ...], params: Any, lists: ReferenceLists) -> None:
        del lists
        if not paths:
            raise ValueError("paths is empty")
        self._unless: tuple[str, ...] = params.unless_change
        self._given = tuple(map(walk.getter, params.unless_given))
        self._when: When | None = params.when
        self._condition = None if self._when is None else walk.getter(self._when.path)
        self._values = tuple((path, walk.getter(path)) for path in paths)

    def find(self, event: Event, now_ms: int) -> Iterable[str]:
        """See `Check.find`."""
        del now_ms
        if event.get("change") in self._unless or not self._applies(event):
            return ()
        if any(_said(value) for values in self._given for value in values(event)):
            return ()
        return [path for path, values in self._values if not any(map(_said, values(event)))]

    def _applies(self, event: Event) -> bool:
        if self._when is None or self._condition is None:
            return True
        return _one_of(self._condition(event), self._when.values)


def _one_of(found: Sequence[Any], wanted: tuple[str | int | bool, ...]) -> bool:
    if not wanted:
        return bool(found)
    # True == 1 in Python, yet they are not the same in an event.
    return any(type(value) is type(each) and value == each for value in found for each in wanted)


def _said(value: object) -> bool:
    return not isinstance(value, str) or bool(value.strip())
