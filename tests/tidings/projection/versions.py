"""Two versions of an event type that nobody thought of, and bytes of the one that is to be read as the other.

A pair is a writer's type, a reader's type and a strategy for the bytes of the writer's values: fields added and taken
away, with defaults of every type, renamed and put in another order; wider and narrower numbers; unions with more and
fewer types; enums with other symbols; and types that have nothing to do with one another.
"""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from tests.tidings.projection import local
from tests.tidings.projection.strategies import Made, checks, field, head, named_once, text, types, view
from tests.tidings.projection.strategies import _array as array
from tests.tidings.projection.strategies import _fields_of as joined
from tests.tidings.projection.strategies import _map as mapped
from tests.tidings.projection.strategies import _nullable as nullable
from tidings.policy.model import Inbox, View
from tidings.wire import zigzag

OTHER_ID = 8
Paired = tuple[Any, Any, st.SearchStrategy[bytes]]
"""A writer's type, a reader's, and the bytes of the writer's values."""

_INTS = st.integers(-(2**31), 2**31 - 1).map(zigzag)
_LONGS = (st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)).map(zigzag)
_FLOATS = st.floats(width=32).map(struct.Struct("<f").pack)
_TEXTS = st.sampled_from(["", "GB", "é", "SW1A 2AA", "2001-05-06"]).map(text)
_BYTES = st.binary(max_size=4).map(lambda each: zigzag(len(each)) + each)
_NUMBERS: list[Made] = [("int", _INTS), ("long", _LONGS), ("float", _FLOATS)]
_PROMOTED: list[Paired] = [
    *((narrow, wider, values) for narrow, values in _NUMBERS for wider in ("long", "float", "double")),
    ("string", "bytes", _TEXTS),
    ("bytes", "string", _BYTES),
    ("bytes", "string", _TEXTS),
]
_SHAPES = (
    ["same"] * 3 + ["promoted"] * 3 + ["enum", "null", "null", "union", "array", "map"] + ["record"] * 4 + ["other"]
)


@st.composite
def pairs(draw: st.DrawFn, depth: int = 0) -> Paired:
    """A type in two versions."""
    shape = draw(st.sampled_from(_SHAPES if depth < 2 else _SHAPES[:7]))
    if shape == "same":
        schema, values = draw(types(depth))
        return schema, schema, values
    if shape == "other":
        schema, values = draw(types(depth + 1))
        return schema, draw(types(depth + 1))[0], values
    if shape == "promoted":
        return draw(st.sampled_from(_PROMOTED))
    if shape == "enum":
        return draw(_enums())
    if shape == "record":
        return draw(_records(depth + 1))
    writer, reader, values = draw(pairs(depth + 1))
    if shape == "array":
        return _array_of(writer), _array_of(reader), array(values)
    if shape == "map":
        return {"type": "map", "values": writer}, {"type": "map", "values": reader}, mapped(values)
    return _unions(draw, writer, reader, values, many=shape == "union")


def _array_of(items: Any) -> Any:
    return {"type": "array", "items": items}


def _unions(draw: st.DrawFn, writer: Any, reader: Any, values: st.SearchStrategy[bytes], *, many: bool) -> Paired:
    """The one or the other or both in a union, null first or last, or among other types."""
    if draw(st.booleans()) and not isinstance(writer, list) and writer != "null":
        first = draw(st.booleans())
        writer = ["null", writer] if first else [writer, "null"]
        values = nullable(values) if first else st.just(b"\2") | values.map(lambda each: b"\0" + each)
    if draw(st.integers(0, 3)) and not isinstance(reader, list) and reader != "null":
        more = [each for each in ("long", "boolean") if many and each != reader]
        reader = draw(st.permutations(["null", reader, *more])) if many else ["null", reader]
    return writer, reader, values


@st.composite
def _enums(draw: st.DrawFn) -> Paired:
    symbols = st.lists(st.sampled_from("ABCDE"), min_size=1, unique=True)
    name = f"g.E{draw(st.uuids()).hex}"
    theirs, ours = draw(symbols), draw(symbols)
    reader = {"type": "enum", "name": name, "symbols": ours}
    if draw(st.booleans()):
        reader["default"] = draw(st.sampled_from(ours))
    writer = {"type": "enum", "name": draw(st.sampled_from([name, f"old{name}"])), "symbols": theirs}
    return writer, reader, st.integers(0, len(theirs) - 1).map(zigzag)


@st.composite
def _records(draw: st.DrawFn, depth: int) -> Paired:
    name = f"g.R{draw(st.uuids()).hex}"
    theirs, ours, values = draw(_fields(depth))
    recursive = draw(st.booleans())
    if recursive:
        theirs = [*theirs, field("again", ["null", name])]
        ours = [*ours, {**field("again", ["null", name]), "default": None}]
        values = joined(values, st.just(b"\0") | values.map(lambda each: b"\2" + each + b"\0"))
    return (
        {"type": "record", "name": name, "fields": theirs},
        {"type": "record", "name": name, "fields": ours},
        values,
    )


@st.composite
def _fields(draw: st.DrawFn, depth: int) -> tuple[list[Any], list[Any], st.SearchStrategy[bytes]]:
    """A record's fields in two versions."""
    theirs, ours, parts = [], [], []
    for at in range(draw(st.integers(1, 4))):
        writer, reader, values = draw(pairs(depth))
        kept = draw(st.sampled_from(["both"] * 4 + ["added", "added", "taken away", "renamed"])) if at else "both"
        category = draw(st.sampled_from(["plain", "plain", "location"]))
        if kept != "added":
            theirs.append(field(f"f{at}", writer, category))
            parts.append(values)
        if kept != "taken away":
            new = field(f"f{at}", reader, category)
            if kept == "renamed":
                new |= {"name": f"n{at}", "aliases": [f"f{at}"]}
            given = default_of(reader)
            ours.append({**new, "default": draw(given)} if given is not None and draw(st.integers(0, 5)) else new)
    return theirs, draw(st.permutations(ours)), joined(*parts)


def default_of(schema: Any) -> st.SearchStrategy[Any] | None:
    """Defaults of a type, as JSON; None where this knows none."""
    kind = "union" if isinstance(schema, list) else schema["type"] if isinstance(schema, dict) else schema
    if kind == "union":
        return default_of(schema[0])
    if kind == "record":
        return _default_record(schema)
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "fixed":
        size = schema["size"]
        return st.text(st.characters(max_codepoint=255), min_size=size, max_size=size)
    if kind in ("array", "map"):
        inner = default_of(schema["items"] if kind == "array" else schema["values"])
        if inner is None:
            return st.just([] if kind == "array" else {})
        return st.lists(inner, max_size=2) if kind == "array" else st.dictionaries(st.just("k"), inner)
    return _DEFAULTS.get(kind)


_DEFAULTS: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-3, 3000),
    "long": st.integers(-3, 2**40),
    "float": st.sampled_from([0.5, -2.0, 3]),
    "double": st.sampled_from([0.1, 1e300, 3]),
    "string": st.sampled_from(["", "GB", "é"]),
    "bytes": st.sampled_from(["", "\u00ff", "A"]),
    "tidings.types.SubjectId": st.just({"scheme": "nhs_number", "value": "9990000018"}),
    "tidings.types.Change": st.just("CREATED"),
}


def _default_record(schema: Any) -> st.SearchStrategy[Any] | None:
    parts = {item["name"]: default_of(item["type"]) for item in schema["fields"] if "default" not in item}
    if any(part is None for part in parts.values()):
        return None
    return st.fixed_dictionaries({name: part for name, part in parts.items() if part is not None})


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Inbox, list[View], st.SearchStrategy[bytes]]:
    """An inbox that takes events of another version under `OTHER_ID`, its views, and the bytes of such events."""
    theirs, ours, values = draw(_fields(0))
    assume(named_once(theirs) and named_once(ours))
    reader, writer = local.schema_of(*ours), local.schema_of(*theirs)
    made = local.inbox(reader, {str(OTHER_ID): writer, str(local.SCHEMA_ID): reader})
    inbox = made.model_copy(update={"checks": draw(checks(reader, ours))})
    views = [draw(view(reader, ours, name)) for name in draw(st.sampled_from([["a"], ["a", "b"]]))]
    return inbox, views, joined(head(), values)
