"""All of Avro that an event type may use, and every way in which bytes are no record: which executor does it itself.

The table of `docs/guides/projection.md` says it, and is held to what the executors do, row by row.
"""

from __future__ import annotations

import re
import struct
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.tidings.projection import local
from tests.tidings.projection.executors import EXECUTORS, SOME_FLAGS, ByNative, Pair
from tests.tidings.projection.strategies import field, text
from tidings.errors import Reject
from tidings.projection.generate_projector import GeneratedProjector
from tidings.projection.generated_scan import GeneratedScan
from tidings.projection.structure import MAX_DEPTH, MAX_EMPTY_ITEMS
from tidings.wire import zigzag

NOW_MS = 1_780_315_200_000
DOCS = Path(__file__).resolve().parents[3] / "docs" / "guides" / "projection.md"


def _named(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": f"g.{kind.title()}", **more}


def _array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


_ENUM, _MANY = _named("enum", symbols=["A", "B"]), _named("enum", symbols=[f"S{at}" for at in range(200)])
_FIXED, _MAP, _LONGS = _named("fixed", size=3), {"type": "map", "values": "long"}, _array("long")
_NESTED = _named("record", fields=[field("a", "int"), field("b", ["null", {**_ENUM, "name": "g.E"}])])
_TREE = _named("record", fields=[field("v", "int"), field("below", _array("g.Record"))])
_CHAIN = _named("record", fields=[field("next", ["null", "g.Record"])])
_UUID = {"type": "string", "logicalType": "uuid"}
_EMPTY = _named("record", fields=[])
_SNAN = b"\x01\x00\xa0\x7f"
# The event is a record around the field, which is one of its own.
_CHAIN_LINKS = MAX_DEPTH - 2

SOUND: dict[str, list[tuple[Any, bytes]]] = {
    "null": [("null", b"")],
    "boolean": [("boolean", b"\0"), ("boolean", b"\1")],
    "int": [("int", zigzag(-(2**31))), ("int", zigzag(2**31 - 1)), ("int", b"\0")],
    "long": [("long", zigzag(-(2**63))), ("long", zigzag(2**63 - 1)), ("long", zigzag(300))],
    "float": [("float", struct.pack("<f", 0.1)), ("float", b"\0\0\xc0\x7f")],
    "float, a signalling not-a-number": [("float", _SNAN)],
    "double": [("double", struct.pack("<d", 0.1)), ("double", b"\xff" * 8)],
    "bytes": [("bytes", b"\0"), ("bytes", zigzag(200) + b"\xff" * 200)],
    "string": [("string", b"\0"), ("string", text("Zoë")), ("string", text("x" * 200))],
    "enum": [(_ENUM, b"\2")],
    "enum of more than 64 symbols": [(_MANY, zigzag(199))],
    "fixed": [(_FIXED, b"\xff\0a")],
    "array": [(_LONGS, b"\0"), (_LONGS, b"\4\2\4\0"), (_array(_array("string")), b"\2\2\2x\0\0")],
    "array in several blocks": [(_LONGS, b"\2\2\2\4\0")],
    "array in a block with a negative count": [(_LONGS, b"\3\4\2\4\0")],
    "map": [(_MAP, b"\0"), (_MAP, b"\4\2a\2\2b\4\0")],
    "map in a block with a negative count": [(_MAP, b"\3\x0c\2a\2\2b\4\0")],
    "union of null and a type": [(["null", "string"], b"\0"), (["null", "string"], b"\2\2x"), (["int", "null"], b"\2")],
    "union of several types": [(["null", "int", "string", _ENUM], b"\4\2x"), (["long", "null"], b"\0\2")],
    "nested record": [(_NESTED, b"\2\2\2"), (_EMPTY, b"")],
    "recursive record": [(_TREE, b"\2\2\4\0\0"), (_CHAIN, b"\2" * _CHAIN_LINKS + b"\0")],
    "logical uuid": [(_UUID, text(local.EVENT_ID))],
    "logical date, time and timestamp": [
        ({"type": "int", "logicalType": "date"}, zigzag(20_000)),
        ({"type": "int", "logicalType": "time-millis"}, zigzag(86_399_999)),
        ({"type": "long", "logicalType": "timestamp-millis"}, zigzag(1_780_000_000_000)),
        ({"type": "long", "logicalType": "timestamp-micros"}, zigzag(2**62)),
        ({"type": "long", "logicalType": "local-timestamp-millis"}, zigzag(-1)),
    ],
    "logical decimal and duration": [
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, b"\4\1\2"),
        (_named("fixed", size=12, logicalType="duration"), b"\1" * 12),
    ],
}
"""Types by the words of the page, with values of each as bytes."""

DAMAGED: dict[str, list[tuple[Any, bytes]]] = {
    "cut short": [("string", b"\6ab"), ("double", b"\0" * 7), (_FIXED, b"ab"), (_LONGS, b"\4\2"), ("long", b"\x80")],
    "trailing bytes": [("long", b"\0\0"), ("null", b"\0"), (_LONGS, b"\0\0")],
    "a number over 64 bits": [("long", b"\xff" * 9 + b"\2"), ("long", b"\x80" * 10_000), ("bytes", b"\xff" * 10)],
    "an int over 32 bits": [("int", b"\xff\xff\xff\xff\x10"), ("int", zigzag(2**31))],
    "a number longer than it need be": [("long", b"\x80\0"), ("int", b"\x81\x80\0"), (_LONGS, b"\x80\0")],
    "a boolean that is neither": [("boolean", b"\2"), ("boolean", b"\xff")],
    "a negative length": [("string", b"\1"), ("bytes", b"\3ab"), (_MAP, b"\2\1a\2\0")],
    "an absurd length or count": [
        ("string", zigzag(2**62)),
        ("bytes", zigzag(2**63 - 1)),
        (_LONGS, zigzag(2**62)),
        (_LONGS, zigzag(-(2**63)) + b"\2\2\0"),
        (_array("null"), zigzag(2**62) + b"\0"),
        (_array(_EMPTY), zigzag(-(2**40)) + b"\0\0"),
        (_array("null"), zigzag(MAX_EMPTY_ITEMS + 1) + b"\0"),
    ],
    "a branch or a symbol out of range": [
        (["null", "int"], b"\4"),
        (["null", "int"], b"\1"),
        (_ENUM, b"\4"),
        (_ENUM, b"\1"),
    ],
    "invalid UTF-8": [
        ("string", b"\2\xff"),
        ("string", b"\6\xed\xa0\x80"),
        (_MAP, b"\2\2\xff\2\0"),
        ("string", b"\4\xc0\x80"),
    ],
    "a block that is not of its size": [(_LONGS, b"\3\6\2\4\0"), (_LONGS, b"\3\2\2\4\0"), (_MAP, b"\1\2\2a\2\0")],
    "a key twice": [(_MAP, b"\4\2a\2\2a\4\0")],
    "too deep": [(_CHAIN, b"\2" * (_CHAIN_LINKS + 1) + b"\0"), (_CHAIN, b"\2" * 100_000 + b"\0")],
}
"""What makes bytes no record, with examples."""


@cache
def _table() -> dict[str, dict[str, str]]:
    """The rows of the page: what stands in the first column, then who does it by executor."""
    rows = re.findall(
        r"^\| ([^|]+) \| (itself|reference) \| (itself|reference) \|$", DOCS.read_text("utf-8"), re.MULTILINE
    )
    return {name: {"python": python, "native": native} for name, python, native in rows}


def _pair(executor: str, kind: Any) -> Pair:
    schema = local.schema_of(field("f", kind))
    several = isinstance(kind, list) and len(kind) > 2
    view = local.view(schema, {"f": "redact" if several else "keep", "record_id": "keep"})
    return Pair(EXECUTORS[executor], local.inbox(schema), [view], local.KEYS)


def _whole(piece: bytes) -> bytes:
    """An event that ends with the bytes of its last field."""
    return local.encode(local.schema_of(field("f", "null")), {**local.event(), "f": None}) + piece


def _made_itself(pair: Pair, body: bytes) -> bool:
    if isinstance(pair.made, ByNative):
        return pair.made._engine is not None and pair.made._engine.project(body, 0) is not None
    assert isinstance(pair.made, GeneratedProjector)
    scan = pair.made.scan(local.SCHEMA_ID, body)
    assert isinstance(scan, GeneratedScan)
    made = pair.made._views[pair.views[0].feed]
    return made is not None and scan.common and made([(scan.body, scan.places, scan.made)], ()) != [None]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", SOUND)
def test_every_type(executor: str, name: str) -> None:
    """Is made into a view as by the reference, and by whom the page says."""
    by = set()
    for kind, piece in SOUND[name]:
        pair, body = _pair(executor, kind), _whole(piece)
        assert pair.outcome(local.SCHEMA_ID, body, NOW_MS, SOME_FLAGS) == "projected"
        by.add("itself" if _made_itself(pair, body) else "reference")

    assert by == {_table()[name][executor]}


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", DAMAGED)
def test_every_damage(executor: str, name: str) -> None:
    """Is refused by the executor itself, as the reference does it; absurd lengths at once, or a time-out says so."""
    for kind, piece in DAMAGED[name]:
        pair, body = _pair(executor, kind), _whole(piece)
        assert pair.outcome(local.SCHEMA_ID, body, NOW_MS) == "refused"
        if isinstance(pair.made, ByNative):
            assert pair.made._engine is not None
            assert pair.made._engine.refusal(body) == (("undecodable", ""),)
        else:
            pair.made._reference = None
            with pytest.raises(Reject):
                pair.made.scan(local.SCHEMA_ID, body)
    assert _table()[name] == {"python": "itself", "native": "itself"}


def test_the_page_has_no_other_rows() -> None:
    """What it says of Avro is what is tried here."""
    assert set(_table()) == {*SOUND, *DAMAGED}
