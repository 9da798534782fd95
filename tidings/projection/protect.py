"""Takes from a value everything that tells where a protected person is: every field of category `location`."""

from __future__ import annotations

from typing import Any

from tidings.projection.types import AvroType, TypeTable, kind_of, without_null


def without_location(value: Any, schema: AvroType, table: TypeTable) -> Any:
    """`value` with every `location` field nulled or emptied, however deep. `schema` is its type in the event; the
    view has the same fields, each nullable. Never raises on a value of that type; the input is left as it was."""
    if value is None:
        return None
    schema = table.resolve(without_null(schema))
    kind = kind_of(schema)
    if kind == "array":
        return [without_location(item, schema["items"], table) for item in value]
    if kind == "map":
        return {key: without_location(item, schema["values"], table) for key, item in value.items()}
    if kind != "record":
        return value
    return {
        item["name"]: _empty(item["type"], table)
        if item.get("category") == "location"
        else without_location(value[item["name"]], item["type"], table)
        for item in schema["fields"]
    }


def _empty(schema: AvroType, table: TypeTable) -> Any:
    return {"array": [], "map": {}}.get(kind_of(table.resolve(schema)))
