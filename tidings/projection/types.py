"""Avro types as this room reads them: every named type under its full name, references resolved.

Source: Avro 1.12 specification, "Names".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

AvroType = Any
"""An Avro schema as JSON: a name, an object or a union."""

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED = frozenset({"record", "enum", "fixed"})


@dataclass(frozen=True)
class TypeTable:
    """One schema, with full names everywhere, and its named types by full name."""

    root: AvroType
    named: dict[str, AvroType] = field(default_factory=dict)

    def resolve(self, schema: AvroType) -> AvroType:
        """The definition behind a name; anything else as it is."""
        return self.named[schema] if isinstance(schema, str) and schema not in PRIMITIVES else schema

    def standalone(self, schema: AvroType, *, logical: bool = True) -> AvroType:
        """`schema` with every named type written out at its first use; without logical types where not `logical`."""
        return _written_out(schema, self, set(), logical)


def read_types(schema: AvroType) -> TypeTable:
    """Read a standalone schema. Raises ValueError where it names a type that it does not hold, or one twice."""
    named: dict[str, AvroType] = {}
    return TypeTable(_qualify(schema, "", named), named)


def _qualify(schema: AvroType, space: str, named: dict[str, AvroType]) -> AvroType:
    if isinstance(schema, list):
        return [_qualify(branch, space, named) for branch in schema]
    if isinstance(schema, str):
        if schema in PRIMITIVES:
            return schema
        full = schema if "." in schema or not space else f"{space}.{schema}"
        found = full if full in named else schema
        if found not in named:
            raise ValueError(f"the schema names the type {full}, which it does not hold")
        return found
    kind = schema["type"]
    if isinstance(kind, (dict, list)):
        return _qualify(kind, space, named)
    if kind in NAMED:
        return _qualify_named(schema, space, named)
    if kind == "array":
        return {**schema, "items": _qualify(schema["items"], space, named)}
    if kind == "map":
        return {**schema, "values": _qualify(schema["values"], space, named)}
    if kind in PRIMITIVES:
        return kind if len(schema) == 1 else dict(schema)
    return _qualify(kind, space, named)


def _qualify_named(schema: AvroType, space: str, named: dict[str, AvroType]) -> AvroType:
    name = str(schema["name"])
    if "." not in name:
        inside = str(schema.get("namespace", space))
        name = f"{inside}.{name}" if inside else name
    if name in named:
        raise ValueError(f"the schema defines the type {name} twice")
    made = {key: value for key, value in schema.items() if key != "namespace"}
    made["name"] = name
    named[name] = made
    if schema["type"] == "record":
        inner = name.rpartition(".")[0]
        made["fields"] = [{**item, "type": _qualify(item["type"], inner, named)} for item in schema["fields"]]
    return made


def _written_out(schema: AvroType, table: TypeTable, seen: set[str], logical: bool) -> AvroType:
    if isinstance(schema, list):
        return [_written_out(branch, table, seen, logical) for branch in schema]
    schema = table.resolve(schema)
    if isinstance(schema, str):
        return schema
    made = {key: value for key, value in schema.items() if logical or key != "logicalType"}
    kind = schema["type"]
    if kind in NAMED:
        if schema["name"] in seen:
            return schema["name"]
        seen.add(schema["name"])
    if kind == "record":
        made["fields"] = [
            {**item, "type": _written_out(item["type"], table, seen, logical)} for item in schema["fields"]
        ]
    elif kind == "array":
        made["items"] = _written_out(schema["items"], table, seen, logical)
    elif kind == "map":
        made["values"] = _written_out(schema["values"], table, seen, logical)
    elif len(made) == 1:
        return kind
    return made


def kind_of(schema: AvroType) -> str:
    """The kind of a resolved type: `string`, `record`, `union`…"""
    if isinstance(schema, list):
        return "union"
    return str(schema["type"]) if isinstance(schema, dict) else str(schema)


def without_null(schema: AvroType) -> AvroType:
    """A union of null and one type as that type; anything else as it is."""
    if isinstance(schema, list):
        rest = [branch for branch in schema if branch != "null"]
        return rest[0] if len(rest) == 1 else schema
    return schema


def nullable(schema: AvroType) -> AvroType:
    """`schema` or null, null first."""
    if isinstance(schema, list):
        return ["null", *(branch for branch in schema if branch != "null")]
    return "null" if schema == "null" else ["null", schema]
