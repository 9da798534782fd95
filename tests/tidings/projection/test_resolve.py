"""Events of older and newer versions: every executor reads them as the reference does, and most without it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tidings.projection import local, strategies, versions
from tests.tidings.projection.executors import EXECUTORS, SOME_FLAGS, ByNative, Factory, Pair
from tests.tidings.projection.strategies import field
from tidings.projection.defaults import default_value
from tidings.projection.generated_scan import GeneratedScan
from tidings.projection.types import read_types

NOW_MS = 1_780_315_200_000
every_executor = pytest.mark.parametrize("factory", EXECUTORS.values(), ids=EXECUTORS)


@every_executor
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_two_versions(factory: Factory, data: st.DataObject) -> None:
    """Whatever the two versions, the agreements, the checks and the event, sound or damaged."""
    inbox, views, bodies = data.draw(versions.worlds())
    pair = Pair(factory, inbox, views, local.KEYS)
    for _ in range(3):
        body = data.draw(bodies)
        pair.outcome(versions.OTHER_ID, body, NOW_MS, SOME_FLAGS)
        pair.outcome(versions.OTHER_ID, data.draw(strategies.damaged(body)), NOW_MS)


def _kind(name: str, **more: Any) -> dict[str, Any]:
    return {"name": f"g.{name}", **more}


def _enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return _kind("E", type="enum", symbols=list(symbols), **more)


def _record(*fields: dict[str, Any]) -> dict[str, Any]:
    return _kind("R", type="record", fields=list(fields))


_LIST, _MAP = {"type": "array", "items": "int"}, {"type": "map", "values": "int"}
_WIDE_LIST, _WIDE_MAP = {"type": "array", "items": "double"}, {"type": "map", "values": ["null", "double"]}
_FIXED = _kind("F", type="fixed", size=2)
_AGAIN = field("again", ["null", "g.R"])
ADDED = field("f", "string") | {"default": "so"}
DEFAULTS: list[tuple[Any, Any]] = [
    (["null", "string"], None),
    ("boolean", True),
    ("int", 3),
    ("long", 2**40),
    ("float", 0.5),
    ("double", 3),
    ("bytes", "\u00ff"),
    ("string", "é"),
    (_kind("F", type="fixed", size=2), "\u00ff\u0001"),
    (_enum("A", "B"), "B"),
    (_LIST, [1, 2]),
    (_MAP, {"a": 1}),
    (_record(field("a", "int"), field("b", "bytes") | {"default": "\u00ff"}), {"a": 1}),
    (["string", "null"], "so"),
]
"""A default of every type; of a record one that leaves a field to its own."""

CHANGES: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    "a field is added": ([], [ADDED], [None]),
    "a field is taken away": ([field("f", "string")], [], ["x"]),
    "fields in another order": (
        [field("f", "string"), field("g", "int")],
        [field("g", "long"), field("f", "string")],
        [("x", 3)],
    ),
    "a field under another name": ([field("f", "int")], [field("n", "int") | {"aliases": ["f"]}], [3]),
    "int to long": ([field("f", "int")], [field("f", "long")], [0, -(2**31)]),
    "int to float": ([field("f", "int")], [field("f", "float")], [3, 2**31 - 1]),
    "int to double": ([field("f", "int")], [field("f", "double")], [-3]),
    "long to float": ([field("f", "long")], [field("f", "float")], [2**63 - 1, (1 << 54) + 3]),
    "long to double": ([field("f", "long")], [field("f", "double")], [2**63 - 1, (1 << 54) + 3]),
    "float to double": ([field("f", "float")], [field("f", "double")], [0.1, float("inf")]),
    "string to bytes": ([field("f", "string")], [field("f", "bytes")], ["é"]),
    "bytes to string": ([field("f", "bytes")], [field("f", "string")], ["é".encode()]),
    "an enum of more symbols": ([field("f", _enum("A", "B"))], [field("f", _enum("C", "B", "A"))], ["A", "B"]),
    "an unknown symbol": ([field("f", _enum("A", "B"))], [field("f", _enum("C", "A", default="C"))], ["A", "B"]),
    "into a union": ([field("f", "int")], [field("f", ["null", "long"])], [3]),
    "out of a union": ([field("f", ["null", "int"])], [field("f", "double")], [3]),
    "a union in another order": ([field("f", ["null", "int"])], [field("f", ["string", "long", "null"])], [None, 3]),
    "a wider array": ([field("f", _LIST)], [field("f", _WIDE_LIST)], [[], [1, 2]]),
    "a wider map": ([field("f", _MAP)], [field("f", _WIDE_MAP)], [{}, {"a": 1, "b": 2}]),
    "a fixed": ([field("f", _FIXED)], [field("f", ["null", _FIXED])], [b"ab"]),
    "a record in an array": (
        [field("f", {"type": "array", "items": _record(field("a", "int"), field("b", "string"))})],
        [field("f", {"type": "array", "items": _record(ADDED, field("a", "double"))})],
        [[{"a": 1, "b": "x"}, {"a": 2, "b": ""}]],
    ),
    "a record in itself": (
        [field("f", _record(field("a", "int"), _AGAIN))],
        [field("f", _record(ADDED | {"name": "c"}, _AGAIN, field("a", "float")))],
        [{"a": 1, "again": {"a": 2, "again": None}}],
    ),
    **{
        f"a default of type {at}": ([], [field("f", kind) | {"default": default}], [None])
        for at, (kind, default) in enumerate(DEFAULTS)
    },
}
"""Every rule of schema resolution: the writer's fields, the reader's, and values of the writer's first fields."""


@every_executor
@pytest.mark.parametrize("change", CHANGES)
def test_every_rule_of_schema_resolution(factory: Factory, change: str) -> None:
    """Read as by the reference, and not by way of it."""
    theirs, ours, values = CHANGES[change]
    writer = local.schema_of(*theirs, field("last", "string"))
    reader = local.schema_of(*ours, field("last", "string"))
    inbox = local.inbox(reader, {str(versions.OTHER_ID): writer, str(local.SCHEMA_ID): reader})
    unions = [item["name"] for item in ours if isinstance(item["type"], list) and len(item["type"]) > 2]
    keep = {item["name"]: "redact" if item["name"] in unions else "keep" for item in [*ours, field("last", "string")]}
    views = [local.view(reader, keep), local.view(reader, {"last": "pseudonym"}, agreement="b")]
    pair = Pair(factory, inbox, views, local.KEYS)
    for value in values:
        given = value if len(theirs) > 1 else (value,)
        made = dict(zip((item["name"] for item in theirs), given, strict=False))
        body = local.encode(writer, {**local.event(), **made, "last": "GB"})
        assert pair.outcome(versions.OTHER_ID, body, NOW_MS, SOME_FLAGS) == "projected"
        assert _without_the_reference(pair, body)


def _without_the_reference(pair: Pair, body: bytes) -> bool:
    """Whether the executor itself read the event."""
    if isinstance(pair.made, ByNative):
        engine = pair.made._engine
        return not engine.resolves or engine.resolve(versions.OTHER_ID, body) is not None
    return isinstance(pair.made.scan(versions.OTHER_ID, body), GeneratedScan)


_REFUSED: dict[str, tuple[Any, Any, Any]] = {
    "a field without a default": ("null", _record(field("a", "int")), None),
    "a narrower number": ("long", "int", 1),
    "another type": ("string", "int", "x"),
    "null where there is none": (["null", "int"], "int", None),
    "an unknown symbol": (_enum("A", "B"), _enum("A"), "B"),
    "another size": (_kind("F", type="fixed", size=2), _kind("F", type="fixed", size=3), b"ab"),
    "no text": ("bytes", "string", b"\xff"),
}


@every_executor
@pytest.mark.parametrize("case", _REFUSED)
def test_what_cannot_be_resolved_is_refused(factory: Factory, case: str) -> None:
    """By `undecodable`, as by the reference: it is the reference that says so."""
    writer_type, reader_type, value = _REFUSED[case]
    writer, reader = local.schema_of(field("f", writer_type)), local.schema_of(field("f", reader_type))
    inbox = local.inbox(reader, {str(versions.OTHER_ID): writer, str(local.SCHEMA_ID): reader})
    pair = Pair(factory, inbox, [local.view(reader, {})], local.KEYS)

    assert pair.outcome(versions.OTHER_ID, local.encode(writer, {**local.event(), "f": value}), NOW_MS) == "refused"


def test_a_default_is_a_whole_value() -> None:
    """What a default leaves out is filled in from within; what fits no type of a union, or no type, is none."""
    table = read_types(_record(field("a", "int") | {"default": 1}, field("b", ["null", "string"]) | {"default": "x"}))

    assert default_value(table.root, {}, table) == {"a": 1, "b": "x"}
    assert default_value("double", 1, table) == 1.0
    for schema, default in (("int", "x"), ("int", True), (["null", "int"], "x"), (_record(field("z", "int")), {})):
        with pytest.raises(ValueError, match="default"):
            default_value(schema, default, table)
