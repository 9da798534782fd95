"""Runs the program of one view on one decoded event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import fastavro

from tidings.keys import KeyRing
from tidings.masks import MaskContext
from tidings.projection import ids
from tidings.projection.heads import ABSENT, EVENT_ID, LIFE_EVENT_ID, RECORD_ID
from tidings.projection.plan import RECORD, Plan, Step
from tidings.projection.protect import without_location
from tidings.projection.types import TypeTable, read_types
from tidings.projection.view_names import empty_of


@dataclass(frozen=True)
class Run:
    """One event on its way into one view. `protected` takes the location out."""

    keys: KeyRing = field(repr=False)
    group: str
    agency: str
    event_id: str = field(repr=False)
    protected: bool


Act = Callable[[Any, Run, str], Any]
"""From a value, the run and the path of the record around it to what the view holds."""


class Program:
    """The plan of a view, ready to run. Pure; raises nothing on an event of the schema that it was planned for."""

    def __init__(self, plan: Plan, table: TypeTable, keys: KeyRing, group: str, agency: str) -> None:
        self._plan, self._keys, self._group, self._agency = plan, keys, group, agency
        self._acts = [(step.name, _act(step, table)) for step in plan.steps]
        self._event_id = self._acts[0][1]
        # A derived event id is made once, for the masks and for the view; a masked one may depend on the run.
        self._known = 1 if plan.steps[0].how == EVENT_ID else 0
        self._record_id = dict(self._acts)["record_id"]
        self._empty = {step.name: _empty(step) for step in plan.steps}

    def live(self, record: Mapping[str, Any], *, protected: bool) -> dict[str, Any]:
        """The view's fields from event_id on, flags aside."""
        run = self._run(record, protected)
        made = {name: act(record[name], run, "") for name, act in self._acts[self._known :]}
        return {"event_id": run.event_id, **made} if self._known else made

    def withdrawn(self, record: Mapping[str, Any], *, protected: bool) -> dict[str, Any]:
        """The same fields, all empty but record_id."""
        run = self._run(record, protected)
        return {**self._empty, "record_id": self._record_id(record["record_id"], run, "")}

    def _run(self, record: Mapping[str, Any], protected: bool) -> Run:
        bare = Run(self._keys, self._group, self._agency, "", protected)
        return Run(self._keys, self._group, self._agency, str(self._event_id(record["event_id"], bare, "")), protected)


def _act(step: Step, table: TypeTable) -> Act:
    make = {RECORD: _record, EVENT_ID: _event_id, LIFE_EVENT_ID: _life, RECORD_ID: _record_id, ABSENT: _absent}
    inner = make[step.how](step, table) if step.how in make else _masked(step)
    if step.how == RECORD_ID:
        return inner

    def act(value: Any, run: Run, above: str) -> Any:
        if value is None or (run.protected and step.location):
            return _empty(step)
        return inner(value, run, above)

    return act


def _empty(step: Step) -> Any:
    return empty_of(step.output)


def _record(step: Step, table: TypeTable) -> Act:
    acts = [(child.name, _act(child, table)) for child in step.children]

    def one(value: Any, run: Run, path: str) -> Any:
        return {name: act(value[name], run, path) for name, act in acts}

    return _each(step, one)


def _masked(step: Step) -> Act:
    mask = step.mask
    if mask is None:
        raise ValueError("a plan with errors was run")
    types = read_types(step.element)
    plain = fastavro.parse_schema(types.standalone(types.root, logical=False))
    # What a mask made cannot be pruned: of a protected person a value with a location inside is not given at all.
    empties = step.location_below and mask.name != "keep"

    def one(value: Any, run: Run, path: str) -> Any:
        if run.protected and step.location_below:
            value = without_location(value, step.element, types)
        context = MaskContext(run.keys, run.group, path, run.event_id, step.element, plain, step.settings, step.scheme)
        return mask.apply(value, context)

    each = _each(step, one)
    return lambda value, run, above: _empty(step) if run.protected and empties else each(value, run, above)


def _each(step: Step, one: Act) -> Act:
    """`one` on each element, with its own place as path; null stays null."""

    def spread(value: Any, run: Run, path: str, depth: int) -> Any:
        if value is None:
            return None
        if depth == 0:
            return one(value, run, path)
        return [spread(item, run, f"{path}[{at}]", depth - 1) for at, item in enumerate(value)]

    return lambda value, run, above: spread(value, run, f"{above}.{step.name}" if above else step.name, step.depth)


def _event_id(step: Step, table: TypeTable) -> Act:  # noqa: ARG001 - one signature for all steps
    return lambda value, run, _: ids.event_id(run.keys, run.group, value)


def _life(step: Step, table: TypeTable) -> Act:  # noqa: ARG001 - one signature for all steps
    return lambda value, run, _: ids.life_event_id(run.keys, run.group, value)


def _record_id(step: Step, table: TypeTable) -> Act:  # noqa: ARG001 - one signature for all steps
    return lambda value, run, _: ids.record_id(run.keys, run.group, run.agency, value)


def _absent(step: Step, table: TypeTable) -> Act:  # noqa: ARG001 - one signature for all steps
    return lambda _value, _run, _above: _empty(step)
