"""Dotted paths in a schema and in a record. Arrays are crossed without being named; maps cannot be crossed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidings.projection.rules import RuleError
from tidings.projection.types import AvroType, TypeTable, kind_of, without_null


@dataclass(frozen=True)
class Place:
    """A field of an event's schema: its own JSON, and whether it or a field above it tells a location."""

    path: str
    field: dict[str, Any]
    location: bool

    @property
    def category(self) -> str:
        """The field's category; `plain` where the schema does not say."""
        return str(self.field.get("category", "plain"))


def element_of(schema: AvroType, table: TypeTable) -> tuple[AvroType, int]:
    """The type of one element, resolved and without null, and how many arrays stand around it."""
    depth = 0
    element = table.resolve(without_null(schema))
    while kind_of(element) == "array":
        depth += 1
        element = table.resolve(without_null(element["items"]))
    return element, depth


def fields_below(schema: AvroType, table: TypeTable) -> list[dict[str, Any]]:
    """The fields of the record that `schema` is, or is an array of; none for other types."""
    element, _ = element_of(schema, table)
    return list(element["fields"]) if kind_of(element) == "record" else []


def find(path: str, table: TypeTable) -> Place:
    """The field at `path`. Raises RuleError (`path-unknown`, `path-in-map`)."""
    schema, location, field = table.root, False, None
    parts = path.split(".")
    for at, name in enumerate(parts):
        element, _ = element_of(schema, table)
        here = ".".join(parts[:at])
        if kind_of(element) == "map":
            raise RuleError(path, "path-in-map", f"{here} is a map: name it as a whole")
        fields = {item["name"]: item for item in fields_below(schema, table)}
        if name not in fields:
            raise RuleError(path, "path-unknown", f"{here or 'the event'} has no field {name!r}")
        field = fields[name]
        location = location or field.get("category") == "location"
        schema = field["type"]
    if field is None:
        raise RuleError(path, "path-unknown", "a path names a field")
    return Place(path, field, location)


def values_at(record: Any, parts: tuple[str, ...]) -> list[Any]:
    """Every value at a path, arrays fanned out, nulls left out."""
    found = [record]
    for name in parts:
        found = [item[name] for whole in found for item in _spread(whole) if isinstance(item, dict)]
    return [item for whole in found for item in _spread(whole)]


def _spread(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [item for inner in value for item in _spread(inner)]
    return [] if value is None else [value]
