"""Walks the fields of a schema as dotted paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CATEGORIES = frozenset({"identifier", "location", "special", "criminal", "child", "plain"})


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of a schema.

    `path` is dotted, and arrays are crossed without a sign (`deceased.names.family`). `type` is the Avro kind of one
    value: `string`, `long`, `record`, `enum`, ... `type_name` is the full name where the kind is named. `nullable` and
    `array` speak of the field itself, `repeats` of the whole path. `category` is the field's own and `categories` adds
    those of the records around it: a name inside a child is both.
    """

    path: str
    type: str
    type_name: str | None
    nullable: bool
    array: bool
    repeats: bool
    category: str
    categories: frozenset[str]
    doc: str
    logical_type: str | None
    symbols: tuple[str, ...]
    schema: dict[str, Any]


def fields_of(schema: dict[str, Any]) -> Iterator[FieldInfo]:
    """Every field of a standalone record schema, records before what is in them. Recursion is not entered again."""
    yield from _fields(schema, "", frozenset(), False, named_types(schema, {}), ())


def field_map(schema: dict[str, Any]) -> dict[str, FieldInfo]:
    """`fields_of` by path."""
    return {info.path: info for info in fields_of(schema)}


def _fields(
    record: dict[str, Any],
    prefix: str,
    around: frozenset[str],
    repeats: bool,
    named: dict[str, dict[str, Any]],
    inside: tuple[str, ...],
) -> Iterator[FieldInfo]:
    for field in record["fields"]:
        path = f"{prefix}{field['name']}"
        value, nullable, array = _unwrap(field["type"], named)
        kind = value["type"]
        is_named = kind in ("record", "enum", "fixed")
        category = field.get("category", "")
        info = FieldInfo(
            path=path,
            type=kind,
            type_name=full_name(value) if is_named else None,
            nullable=nullable,
            array=array,
            repeats=repeats or array,
            category=category,
            categories=around | {category},
            doc=field.get("doc", ""),
            logical_type=value.get("logicalType"),
            symbols=tuple(value.get("symbols", ())),
            schema=field,
        )
        yield info
        if kind == "record" and info.type_name not in inside:
            names = (*inside, full_name(value))
            yield from _fields(value, f"{path}.", info.categories, info.repeats, named, names)


def full_name(schema: dict[str, Any]) -> str:
    """The full name of a named schema."""
    name: str = schema["name"]
    space = schema.get("namespace")
    return name if "." in name or not space else f"{space}.{name}"


def _unwrap(schema: Any, named: dict[str, dict[str, Any]]) -> tuple[dict[str, Any], bool, bool]:
    """The kind of one value, and whether null and array stand around it."""
    nullable = array = False
    while True:
        if isinstance(schema, list):
            rest = [each for each in schema if each != "null"]
            nullable = nullable or len(rest) < len(schema)
            schema = rest[0] if len(rest) == 1 else {"type": "union"}
        elif isinstance(schema, str):
            schema = named.get(schema, {"type": schema})
        elif schema["type"] == "array":
            array = True
            schema = schema["items"]
        elif isinstance(schema["type"], dict | list):
            schema = schema["type"]
        else:
            return schema, nullable, array


def named_types(schema: Any, found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """All named schemas in `schema` by full name, added to `found`."""
    if isinstance(schema, list):
        for each in schema:
            named_types(each, found)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "enum", "fixed"):
            found.setdefault(full_name(schema), schema)
        for field in schema.get("fields", ()):
            named_types(field["type"], found)
        for key in ("type", "items", "values"):
            if isinstance(schema.get(key), dict | list):
                named_types(schema[key], found)
    return found
