"""The value that a schema's default stands for, as fastavro gives the values that it reads.

fastavro puts the JSON of a default in place of a field that the writer did not have: of bytes that is a text, and of a
record without all of its fields less than a record. Source: Avro 1.12 specification, "Complex Types" (`default`).
"""

from __future__ import annotations

from typing import Any

from tidings.projection.types import AvroType, TypeTable, kind_of

_OF_PYTHON: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "int": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "bytes": (str,),
    "string": (str,),
    "fixed": (str,),
    "enum": (str,),
    "array": (list,),
    "map": (dict,),
    "record": (dict,),
}


def default_value(schema: AvroType, default: Any, table: TypeTable) -> Any:
    """The value of the type `schema` for which `default`, as JSON, stands; of a union it is one of the first branch
    that can be meant. Raises ValueError where it is none of the type."""
    schema = table.resolve(schema)
    kind = kind_of(schema)
    if kind == "union":
        branch = next((each for each in schema if _may_be(default, table.resolve(each))), None)
        if branch is None:
            raise ValueError("a default is of no type of its union")
        return default_value(branch, default, table)
    if not _may_be(default, schema):
        raise ValueError("a default is not of its type")
    if kind in ("bytes", "fixed"):
        return default.encode("latin-1")
    if kind in ("float", "double"):
        return float(default)
    if kind == "array":
        return [default_value(schema["items"], item, table) for item in default]
    if kind == "map":
        return {key: default_value(schema["values"], value, table) for key, value in default.items()}
    return _record(schema, default, table) if kind == "record" else default


def _may_be(default: Any, schema: AvroType) -> bool:
    kind = kind_of(schema)
    fits = isinstance(default, _OF_PYTHON[kind]) and (kind == "boolean" or not isinstance(default, bool))
    return fits and (kind != "enum" or default in schema["symbols"])


def _record(schema: AvroType, default: dict[str, Any], table: TypeTable) -> dict[str, Any]:
    made = {}
    for item in schema["fields"]:
        if item["name"] not in default and "default" not in item:
            raise ValueError("a default is not a whole record")
        made[item["name"]] = default_value(item["type"], default.get(item["name"], item.get("default")), table)
    return made
