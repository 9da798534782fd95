"""Writes Avro bodies by closures compiled once a schema: a tenth of fastavro's time, which validates each union branch.

It knows what event types may use: primitives, enums, records, arrays and unions of null with one other type. It is
strict: a wrong type, an unknown field and a missing one without a default are refused, by path and never by value.
Its bytes are fastavro's, by test. Source: Avro 1.12 specification, "Binary Encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tidings.catalogue.fields import full_name
from tidings.wire import zigzag

Write: TypeAlias = Callable[[bytearray, Any], None]
_DOUBLE, _FLOAT = struct.Struct("<d"), struct.Struct("<f")


class Misfit(Exception):
    """A value does not fit its schema at a dotted path, written from the inside out."""

    def __init__(self, *steps: str) -> None:
        self.steps = list(steps)
        super().__init__("a value does not fit its schema")

    @property
    def path(self) -> str:
        """The dotted path."""
        return ".".join(reversed(self.steps))


def compile_writer(schema: Any) -> Write:
    """The writer of a standalone schema without logical types. It raises Misfit. Raises ValueError on a schema beyond
    the types above."""
    return _compile(schema, {})


def _compile(schema: Any, named: dict[str, list[Write]]) -> Write:
    if isinstance(schema, list):
        return _union(schema, named)
    kind = schema if isinstance(schema, str) else schema["type"]
    if isinstance(kind, dict | list):
        return _compile(kind, named)
    if kind == "record":
        return _record(schema, named)
    if kind == "array":
        return _array(_compile(schema["items"], named))
    if kind == "enum":
        write = _enum(schema["symbols"])
        named[full_name(schema)] = [write]
        return write
    if kind in _PRIMITIVES:
        return _PRIMITIVES[kind]
    if kind in named:
        return _later(named[kind])
    raise ValueError(f"no writer for the Avro type {kind!r}")


def _later(slot: list[Write]) -> Write:
    """The writer of a type inside itself, which is not ready yet."""

    def write(out: bytearray, value: Any) -> None:
        slot[0](out, value)

    return write


def _union(schema: list[Any], named: dict[str, list[Write]]) -> Write:
    if len(schema) != 2 or schema[0] != "null":
        raise ValueError("a union is of null and one other type, null first")
    inner = _compile(schema[1], named)

    def write(out: bytearray, value: Any) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(2)
            inner(out, value)

    return write


def _record(schema: dict[str, Any], named: dict[str, list[Write]]) -> Write:
    slot: list[Write] = []
    named[full_name(schema)] = slot
    fields = []
    for field in schema["fields"]:
        inner = _compile(field["type"], named)
        absent: bytes | None = None
        if "default" in field:
            default = bytearray()
            inner(default, field["default"])
            absent = bytes(default)
        fields.append((field["name"], inner, absent))
    plan = tuple(fields)

    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, dict):
            raise Misfit
        found = 0
        for name, inner, absent in plan:
            if name in value:
                found += 1
                try:
                    inner(out, value[name])
                except Misfit as misfit:
                    misfit.steps.append(name)
                    raise
            elif absent is not None:
                out += absent
            else:
                raise Misfit(name)
        if found != len(value):
            raise Misfit

    slot.append(write)
    return write


def _array(inner: Write) -> Write:
    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, list | tuple):
            raise Misfit
        if value:
            _long(out, len(value))
            for each in value:
                inner(out, each)
        out.append(0)

    return write


def _enum(symbols: list[str]) -> Write:
    places: Mapping[str, bytes] = {symbol: zigzag(at) for at, symbol in enumerate(symbols)}

    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, str) or value not in places:
            raise Misfit
        out += places[value]

    return write


def _string(out: bytearray, value: Any) -> None:
    if not isinstance(value, str):
        raise Misfit
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise Misfit from None
    size = len(encoded)
    if size < 64:
        out.append(size << 1)
    else:
        out += zigzag(size)
    out += encoded


def _bytes(out: bytearray, value: Any) -> None:
    if not isinstance(value, bytes):
        raise Misfit
    out += zigzag(len(value))
    out += value


def _long(out: bytearray, value: Any) -> None:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise Misfit
    if 0 <= value < 64:
        out.append(value << 1)
    else:
        out += zigzag(value)


def _int(out: bytearray, value: Any) -> None:
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise Misfit
    _long(out, value)


def _boolean(out: bytearray, value: Any) -> None:
    if not isinstance(value, bool):
        raise Misfit
    out.append(value)


def _floating(form: struct.Struct) -> Write:
    def write(out: bytearray, value: Any) -> None:
        if type(value) not in (int, float):
            raise Misfit
        try:
            out += form.pack(value)
        except OverflowError:
            raise Misfit from None

    return write


def _null(out: bytearray, value: Any) -> None:
    del out
    if value is not None:
        raise Misfit


_PRIMITIVES: Mapping[str, Write] = {
    "string": _string,
    "bytes": _bytes,
    "long": _long,
    "int": _int,
    "boolean": _boolean,
    "double": _floating(_DOUBLE),
    "float": _floating(_FLOAT),
    "null": _null,
}
