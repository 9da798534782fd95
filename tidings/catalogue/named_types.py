"""Puts shared named types in place, so that a schema stands by itself."""

from __future__ import annotations

from typing import Any

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
Named = dict[str, dict[str, Any]]


def inline(schema: Any, named: Named, unknown: set[str]) -> Any:
    """A copy of `schema` in which each type of `named` is written out at its first use and named afterwards.

    Names that are in neither `named` nor the schema itself are added to `unknown` and left as they stand.
    """
    return _inline(schema, named, set(), unknown)


def _inline(schema: Any, named: Named, seen: set[str], unknown: set[str]) -> Any:
    if isinstance(schema, str):
        if schema in PRIMITIVES or schema in seen:
            return schema
        if schema not in named:
            unknown.add(schema)
            return schema
        seen.add(schema)
        return _inline(named[schema], named, seen, unknown)
    if isinstance(schema, list):
        return [_inline(each, named, seen, unknown) for each in schema]
    if not isinstance(schema, dict):
        unknown.add(repr(type(schema).__name__))
        return schema
    out = dict(schema)
    kind = schema.get("type")
    if kind == "record":
        out["fields"] = [
            {**field, "type": _inline(field.get("type"), named, seen, unknown)} for field in schema.get("fields", ())
        ]
    elif kind == "array":
        out["items"] = _inline(schema.get("items"), named, seen, unknown)
    elif kind == "map":
        out["values"] = _inline(schema.get("values"), named, seen, unknown)
    elif isinstance(kind, dict | list) or kind not in (*PRIMITIVES, "enum", "fixed"):
        out["type"] = _inline(kind, named, seen, unknown)
    return out
