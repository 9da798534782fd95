"""Row filters: whether an event passes an agreement's conditions. A condition that can never hold is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tidings.policy.model import Condition
from tidings.projection.paths import element_of, find, values_at
from tidings.projection.rules import RuleError
from tidings.projection.types import TypeTable, kind_of

_PYTHON = {"string": str, "enum": str, "int": int, "long": int, "boolean": bool}

Filter = Callable[[Mapping[str, Any]], bool]


def compile_where(conditions: Sequence[Condition], table: TypeTable) -> Filter:
    """One filter that passes where every condition does.

    Raises RuleError: `path-unknown`, `path-in-map`, `where-type` (no text, whole number, truth value or enum; or a
    prefix of what is no text), `where-value` (a value of another type, or no symbol of the enum).
    """
    compiled = [_compile(condition, table) for condition in conditions]
    return lambda record: all(passes(record) for passes in compiled)


def _compile(condition: Condition, table: TypeTable) -> Filter:
    place = find(condition.path, table)
    element, _ = element_of(place.field["type"], table)
    kind = kind_of(element)
    if kind not in _PYTHON:
        raise RuleError(condition.path, "where-type", f"a filter does not read {kind}")
    if condition.op == "starts_with" and kind != "string":
        raise RuleError(condition.path, "where-type", f"starts_with reads text, not {kind}")
    if not condition.values:
        raise RuleError(condition.path, "where-value", "a condition compares with at least one value")
    for value in condition.values:
        if type(value) is not _PYTHON[kind]:
            raise RuleError(condition.path, "where-value", f"the field is {kind}: {value!r} never equals it")
        if kind == "enum" and value not in element["symbols"]:
            raise RuleError(condition.path, "where-value", f"{value!r} is none of {', '.join(element['symbols'])}")
    parts = tuple(condition.path.split("."))
    holds = _holds(condition)
    if_missing = condition.missing == "include"

    def passes(record: Mapping[str, Any]) -> bool:
        values = values_at(record, parts)
        return any(map(holds, values)) if values else if_missing

    return passes


def _holds(condition: Condition) -> Callable[[Any], bool]:
    if condition.op == "starts_with":
        prefixes = tuple(str(value) for value in condition.values)
        return lambda value: value.startswith(prefixes)
    wanted = frozenset(condition.values)
    return (lambda value: value in wanted) if condition.op == "in" else (lambda value: value not in wanted)
