"""Writes Avro as fastavro does, byte for byte, several times faster for the narrow schemas that views have.

fastavro validates every branch of a union against the value, at each level again: for a view, whose every field is a
union of null and one type, that is most of the time. Here a schema is compiled once to closures, one a type. What a
view does not have (unions of more than null and one type, decimals) is refused when compiled, and left to fastavro by
`writer_of`. Source: Avro 1.12 specification, "Binary Encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro

from tidings.projection.types import AvroType, TypeTable, kind_of, read_types
from tidings.wire import sized, zigzag

Writer = Callable[[Any], bytes]
"""From a value of the schema to its bytes. Raises ValueError, TypeError, KeyError or AttributeError for any other."""
Put = Callable[[bytearray, Any], None]

_DOUBLE, _FLOAT = struct.Struct("<d"), struct.Struct("<f")


class _NotHereError(Exception):
    """The schema has something that this writer does not do."""


def writer_of(schema: AvroType) -> Writer:
    """The writer of a standalone schema."""
    parsed = fastavro.parse_schema(schema)
    table = read_types(schema)
    try:
        put = _Compiler(table).compile(table.root)
    except _NotHereError:
        return lambda value: _by_fastavro(parsed, value)

    def write(value: Any) -> bytes:
        out = bytearray()
        put(out, value)
        return bytes(out)

    return write


def _by_fastavro(parsed: Any, value: Any) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, parsed, value)
    return out.getvalue()


class _Compiler:
    def __init__(self, table: TypeTable) -> None:
        self._table = table
        self._done: dict[str, list[Put]] = {}

    def compile(self, schema: AvroType) -> Put:
        schema = self._table.resolve(schema)
        name = schema.get("name") if isinstance(schema, dict) else None
        if name is None:
            return self._build(schema)
        if name not in self._done:
            built = self._done[name] = []
            built.append(self._build(schema))
        return _later(self._done[name])

    def _build(self, schema: AvroType) -> Put:
        kind = kind_of(schema)
        if isinstance(schema, dict) and schema.get("logicalType") not in _HARMLESS:
            raise _NotHereError
        if kind in _SIMPLE:
            return _SIMPLE[kind]
        if kind == "union":
            return self._union(schema)
        if kind == "record":
            return self._record(schema)
        if kind == "enum":
            return _enum(schema["symbols"])
        if kind == "fixed":
            return _fixed(int(schema["size"]))
        if kind == "array":
            return _array(self.compile(schema["items"]))
        raise _NotHereError

    def _union(self, schema: AvroType) -> Put:
        if len(schema) != 2 or "null" not in schema:
            raise _NotHereError
        null_at = schema.index("null")
        null, mark = zigzag(null_at), zigzag(1 - null_at)
        put = self.compile(schema[1 - null_at])

        def union(out: bytearray, value: Any) -> None:
            if value is None:
                out += null
            else:
                out += mark
                put(out, value)

        return union

    def _record(self, schema: AvroType) -> Put:
        required = tuple((each["name"], self.compile(each["type"])) for each in schema["fields"])
        defaults = {each["name"]: each["default"] for each in schema["fields"] if "default" in each}

        def record(out: bytearray, value: Any) -> None:
            for name, put in required:
                put(out, value[name] if name in value else defaults[name])

        return record


def _later(built: list[Put]) -> Put:
    """What is built already, else (within its own definition) what will be."""
    if built:
        return built[0]

    def later(out: bytearray, value: Any) -> None:
        built[0](out, value)

    return later


def _enum(symbols: list[str]) -> Put:
    codes = {symbol: zigzag(at) for at, symbol in enumerate(symbols)}

    def enum(out: bytearray, value: Any) -> None:
        out += codes[value]

    return enum


def _fixed(size: int) -> Put:
    def fixed(out: bytearray, value: Any) -> None:
        if len(value) != size:
            raise ValueError("a fixed value has another size")
        out += value

    return fixed


def _array(put: Put) -> Put:
    def array(out: bytearray, value: Any) -> None:
        if value:
            out += zigzag(len(value))
            for item in value:
                put(out, item)
        out.append(0)

    return array


def _null(_out: bytearray, value: Any) -> None:
    if value is not None:
        raise ValueError("a value stands where null must")


def _boolean(out: bytearray, value: Any) -> None:
    out.append(1 if value else 0)


def _long(out: bytearray, value: Any) -> None:
    out += zigzag(value)


def _int(out: bytearray, value: Any) -> None:
    if not -(2**31) <= value < 2**31:
        raise ValueError("an Avro int has 32 bits")
    out += zigzag(value)


def _string(out: bytearray, value: Any) -> None:
    out += sized(value.encode())


def _bytes(out: bytearray, value: Any) -> None:
    out += sized(value)


_HARMLESS = frozenset({None, "", "timestamp-millis", "uuid"})
_SIMPLE: dict[str, Put] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": lambda out, value: out.extend(_FLOAT.pack(value)),
    "double": lambda out, value: out.extend(_DOUBLE.pack(value)),
    "bytes": _bytes,
    "string": _string,
}
