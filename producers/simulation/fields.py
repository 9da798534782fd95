"""Fields of an event's Avro found and replaced without reading the event: what stands before one is stepped over.

Source: Avro 1.12 specification, "Binary Encoding".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias

from producers.simulation.shapes import EVENT_TYPES
from producers.simulation.splice import Splice
from producers.simulation.types import types

Step: TypeAlias = Callable[[bytes, int], int]
"""Where a value that begins at a place of some Avro ends."""
_FIXED_BYTES = {"null": 0, "boolean": 1, "float": 4, "double": 8}


class Field:
    """One field of an event type, by its path from the event on: `address.country`."""

    def __init__(self, kind: int, path: str) -> None:
        self._before: list[tuple[tuple[Step, ...], bool]] = []
        schema: Any = types().events[EVENT_TYPES[kind]]
        for name in path.split("."):
            fields = _resolved(schema)["fields"]
            at = [each["name"] for each in fields].index(name)
            schema, optional = _inner(fields[at]["type"])
            self._before.append((tuple(_step(each["type"]) for each in fields[:at]), optional))
        self._schema, self.optional = fields[at]["type"], self._before[-1][1]
        self._step = _step(self._schema)

    @staticmethod
    @cache
    def of(kind: int, path: str) -> Field:
        """That of a kind of row. Each is made once a process."""
        return Field(kind, path)

    def find(self, body: bytes) -> tuple[int, int] | None:
        """Where the value begins and ends, a union's branch included; None where what should hold it is null."""
        at, last = 0, len(self._before) - 1
        for level, (steps, optional) in enumerate(self._before):
            for step in steps:
                at = step(body, at)
            if level < last and optional:
                if body[at] == 0:
                    return None
                at += 1
        return at, self._step(body, at)

    def written(self, value: Any) -> bytes:
        """A value as Avro, a union's branch included; a field that it does not name has its default."""
        return Splice(_resolved(self._schema), value, types().named).fill(())


class Draft:
    """A row's event, to be spoiled field by field."""

    def __init__(self, kind: int, body: bytes) -> None:
        self._kind, self.body = kind, body

    def field(self, path: str) -> Field:
        """The field at a path."""
        return Field.of(self._kind, path)

    def value(self, path: str) -> bytes | None:
        """A field's Avro without its union's branch; None where it is null, or what should hold it."""
        field, body = self.field(path), self.body
        found = field.find(body)
        if found is None or (field.optional and body[found[0]] == 0):
            return None
        return body[found[0] + field.optional : found[1]]

    def put(self, path: str, written: bytes) -> None:
        """Replace a field's Avro, a union's branch included. Raises ValueError where what should hold it is null."""
        found = self.field(path).find(self.body)
        if found is None:
            raise ValueError(f"nothing holds {path}")
        self.body = self.body[: found[0]] + written + self.body[found[1] :]


def _resolved(schema: Any) -> Any:
    return types().named.get(schema, schema) if isinstance(schema, str) else schema


def _inner(schema: Any) -> tuple[Any, bool]:
    """The type of a value that is not null, and whether it can be."""
    return (schema[1], True) if isinstance(schema, list) else (schema, False)


def _step(schema: Any) -> Step:
    """How to step over a value."""
    schema = _resolved(schema)
    if isinstance(schema, list):
        return _optional(_step(schema[1]))
    name = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(name, dict | list):
        return _step(name)
    if name == "record":
        return _record([_step(each["type"]) for each in schema["fields"]])
    if name == "array":
        return _array(_step(schema["items"]))
    if name in _FIXED_BYTES:
        return _fixed(_FIXED_BYTES[name])
    return _long if name in ("int", "long", "enum") else _text


def _long(body: bytes, at: int) -> int:
    while body[at] & 0x80:
        at += 1
    return at + 1


def number(body: bytes, at: int = 0) -> tuple[int, int]:
    """An int or long, and where it ends."""
    raw = shift = 0
    while body[at] & 0x80:
        raw |= (body[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    raw |= body[at] << shift
    return raw >> 1 ^ -(raw & 1), at + 1


def _text(body: bytes, at: int) -> int:
    size = body[at]
    if not size & 0x80:
        return at + 1 + (size >> 1)
    length, at = number(body, at)
    return at + length


def _fixed(size: int) -> Step:
    return lambda _, at: at + size


def _optional(inner: Step) -> Step:
    return lambda body, at: at + 1 if body[at] == 0 else inner(body, at + 1)


def _record(inner: Sequence[Step]) -> Step:
    def step(body: bytes, at: int) -> int:
        for each in inner:
            at = each(body, at)
        return at

    return step


def _array(inner: Step) -> Step:
    def step(body: bytes, at: int) -> int:
        while True:
            amount, at = number(body, at)
            if amount == 0:
                return at
            for _ in range(amount):
                at = inner(body, at)

    return step
