"""Reads one event's bytes: sound structure first, then fastavro, from the writer's version to the current one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import fastavro
from fastavro.read import SchemaResolutionError

from tidings.errors import Finding, ReasonCode, Reject
from tidings.policy.model import JsonObject
from tidings.projection.defaults import default_value
from tidings.projection.structure import Malformed, structure_of
from tidings.projection.types import TypeTable, read_types

Reader = Callable[[bytes], dict[str, Any]]

_RESOLUTION = (SchemaResolutionError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError)


def readers_of(writer_schemas: Mapping[str, JsonObject], current: TypeTable) -> dict[int, Reader]:
    """One reader for each writer's schema id. A reader raises Reject (`undecodable`) and nothing else, holding no
    value."""
    own, target = (fastavro.parse_schema(current.standalone(current.root, logical=False)) for _ in range(2))
    _give_values(target, current)
    return {int(schema_id): _reader(schema, own, target) for schema_id, schema in writer_schemas.items()}


def _give_values(schema: Any, table: TypeTable) -> None:
    """Put values in place of the defaults of a parsed schema, which are JSON."""
    for each in schema if isinstance(schema, list) else [schema]:
        if not isinstance(each, dict):
            continue
        for item in each.get("fields", ()):
            if "default" in item:
                item["default"] = default_value(item["type"], item["default"], table)
        for below in (*(item["type"] for item in each.get("fields", ())), each.get("items"), each.get("values")):
            _give_values(below, table)


def _reader(schema: JsonObject, own: Any, target: Any) -> Reader:
    table = read_types(schema)
    plain = table.standalone(table.root, logical=False)
    check, writer = structure_of(plain), fastavro.parse_schema(plain)
    # fastavro compares the two schemas for every event: here they are compared once.
    resolve_to = None if writer == own else target

    def read(body: bytes) -> dict[str, Any]:
        try:
            check(body)
            found: Any = fastavro.schemaless_reader(BytesIO(body), writer, resolve_to)
        except (Malformed, *_RESOLUTION):
            raise Reject([Finding(ReasonCode.UNDECODABLE)]) from None
        return dict(found)

    return read
