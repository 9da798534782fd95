"""Writes Avro bodies by Python generated once a schema: a third of the time of `_writer`, whose bytes it makes.

What it does not take (a value that does not fit, a form that is not common) it leaves to `_writer`, which then writes
it or says what is wrong with it. So it never decides by itself that an event is refused. The source holds names of a
schema, nothing of an event.
Source: Avro 1.12 specification, "Binary Encoding".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from producers._writer import Misfit, Write, compile_writer
from tidings.catalogue.fields import full_name
from tidings.wire import zigzag

_ABSENT = object()
_INTEGERS = {"int": 31, "long": 63}


class Uncommon(Exception):
    """This event is the other writer's."""


def generate_writer(schema: Any) -> Write:
    """The writer of a standalone schema without logical types, as `compile_writer`, whose errors it raises."""
    careful = compile_writer(schema)
    quick = _Source().run(schema)

    def write(out: bytearray, value: Any) -> None:
        begun = len(out)
        try:
            quick(out, value)
        except (Uncommon, Misfit, UnicodeEncodeError, AttributeError, TypeError):  # the careful one knows the path
            del out[begun:]
            careful(out, value)

    return write


class _Source:
    """The source of one schema's functions, one for each named record."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0
        self._named: dict[str, tuple[str, Any]] = {}
        self._objects: dict[str, Any] = {"Uncommon": Uncommon, "zigzag": zigzag, "ABSENT": _ABSENT}
        self._count = 0

    def run(self, schema: Any) -> Write:
        """Write the source, compile it, and return the root's function."""
        name = self._record(schema)
        source = "\n".join(self._lines)
        exec(compile(source, "<generated writer>", "exec"), self._objects)  # noqa: S102 -- our own source, from a schema's names
        made: Write = self._objects[name]
        return made

    def _record(self, schema: dict[str, Any]) -> str:
        """Add the function of a record. Returns its name."""
        name = self._name("write")
        self._named[full_name(schema)] = (name, schema)
        outer, self._lines = self._lines, []
        depth, self._depth = self._depth, 0
        known = self._object(frozenset(field["name"] for field in schema["fields"]))
        with self._block(f"def {name}(out, record):"):
            self._line(f"if type(record) is not dict or not {known}.issuperset(record): raise Uncommon")
            self._line("get = record.get")
            for field in schema["fields"]:
                self._field(field)
        self._lines, self._depth = self._lines + outer, depth
        return name

    def _field(self, field: dict[str, Any]) -> None:
        kind, name = field["type"], field["name"]
        nullable = isinstance(kind, list) and len(kind) == 2 and kind[0] == "null"
        if nullable and field.get("default", _ABSENT) is None:
            self._line(f"v = get({name!r})")
        elif isinstance(kind, dict) and kind["type"] == "array" and field.get("default") == []:
            self._line(f"v = get({name!r}, ())")
        else:  # what is missing, with or without another default, is the other writer's
            self._line(f"v = get({name!r}, ABSENT)")
            self._line("if v is ABSENT: raise Uncommon")
        self._value(kind)

    def _value(self, schema: Any, v: str = "v") -> None:
        """Add the lines that write the value of the variable `v`."""
        if isinstance(schema, list):
            if len(schema) != 2 or schema[0] != "null":
                raise ValueError("a union is of null and one other type, null first")
            self._line(f"if {v} is None: out.append(0)")
            with self._block("else:"):
                self._line("out.append(2)")
                self._value(schema[1], v)
            return
        kind = schema if isinstance(schema, str) else schema["type"]
        if isinstance(kind, dict | list):
            self._value(kind, v)
        elif kind == "record":
            self._line(f"{self._record(schema)}(out, {v})")
        elif kind in self._named:
            name, found = self._named[kind]
            self._line(f"{name}(out, {v})" if found["type"] == "record" else f"out += {name}[{v}]")
        elif kind == "array":
            self._array(schema, v)
        elif kind == "enum":
            self._enum(schema, v)
        else:
            self._primitive(kind, v)

    def _array(self, schema: dict[str, Any], v: str) -> None:
        item = self._name("item")
        with self._block(f"if {v}:"):
            self._line(f"if type({v}) is not list: raise Uncommon")
            self._line(f"size = len({v})")
            self._number("size")
            with self._block(f"for {item} in {v}:"):
                self._value(schema["items"], item)
        self._line(f"elif {v} != () and {v} != []: raise Uncommon")
        self._line("out.append(0)")

    def _enum(self, schema: dict[str, Any], v: str) -> None:
        places = {symbol: zigzag(at) for at, symbol in enumerate(schema["symbols"])}
        name = self._object(_Symbols(places))
        self._named[full_name(schema)] = (name, schema)
        self._line(f"out += {name}[{v}]")

    def _primitive(self, kind: str, v: str) -> None:
        if kind == "string":
            self._line(f"if type({v}) is not str: raise Uncommon")
            self._line(f"text = {v}.encode()")
            self._line("size = len(text)")
            self._number("size")
            self._line("out += text")
        elif kind in _INTEGERS:
            bound = 2 ** _INTEGERS[kind]
            self._line(f"if type({v}) is not int or not {-bound} <= {v} < {bound}: raise Uncommon")
            self._number(v)
        elif kind == "boolean":
            self._line(f"if type({v}) is not bool: raise Uncommon")
            self._line(f"out.append({v})")
        else:
            self._line(f"{self._object(compile_writer(kind))}(out, {v})")

    def _number(self, v: str) -> None:
        self._line(f"if 0 <= {v} < 64: out.append({v} << 1)")
        self._line(f"elif {v} < 0: out += zigzag({v})")
        with self._block("else:"):
            self._line(f"rest = {v} << 1")
            with self._block("while rest > 127:"):
                self._line("out.append(rest & 127 | 128)")
                self._line("rest >>= 7")
            self._line("out.append(rest)")

    @contextmanager
    def _block(self, head: str) -> Iterator[None]:
        self._line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def _line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    def _object(self, value: Any) -> str:
        name = self._name("known")
        self._objects[name] = value
        return name

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{what}_{self._count}"


class _Symbols(dict[Any, bytes]):
    """An enum's symbols; what is none of them is the other writer's."""

    def __missing__(self, _key: Any) -> bytes:
        raise Uncommon


__all__ = ["Misfit", "generate_writer"]
