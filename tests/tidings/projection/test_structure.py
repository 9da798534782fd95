"""What is one whole Avro record, byte by byte."""

from __future__ import annotations

import time
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.projection.structure import MAX_DEPTH, MAX_EMPTY_ITEMS, Malformed, structure_of
from tidings.wire import zigzag

_CHAIN = {
    "type": "record",
    "name": "Chain",
    "fields": [{"name": "next", "type": ["null", "Chain"]}],
}
_NULLS = {"type": "array", "items": "null"}
_ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
_LONGS = {"type": "array", "items": "long"}


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("long", b"\xff" * 9 + b"\x01"),
        ("int", b"\xff\xff\xff\xff\x0f"),
        ("boolean", b"\x01"),
        ("string", b"\x04\xc3\xa9"),
        (_LONGS, b"\x04\x02\x04\x00"),
        (_LONGS, b"\x03\x04\x02\x04\x00"),
        (_NULLS, zigzag(MAX_EMPTY_ITEMS) + b"\x00"),
        ({"type": "map", "values": "null"}, b"\x04\x02a\x02b\x00"),
        (_CHAIN, b"\x02" * (MAX_DEPTH - 1) + b"\x00"),
    ],
)
def test_sound(schema: Any, body: bytes) -> None:
    """Whole records pass, blocks with a byte size included."""
    structure_of(schema)(body)


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("long", b"\xff" * 9 + b"\x02"),
        ("long", b"\x80" * 10_000),
        ("long", b"\x80\x00"),
        ("int", b"\xff\xff\xff\xff\x10"),
        ("boolean", b"\x02"),
        ("string", b"\x02\xff"),
        ("string", b"\x06\xed\xa0\x80"),
        ("bytes", b"\x01"),
        ("bytes", zigzag(2**62)),
        ({"type": "fixed", "name": "F", "size": 4}, b"abc"),
        (_ENUM, b"\x04"),
        (_ENUM, b"\x01"),
        (["null", "int"], b"\x01"),
        (["null", "int"], b"\x04"),
        (_LONGS, zigzag(2**62)),
        (_LONGS, zigzag(-(2**63)) + b"\x02\x02\x00"),
        (_LONGS, b"\x03\x06\x02\x04\x00"),
        (_LONGS, b"\x03\x03\x02\x04\x00"),
        (_NULLS, zigzag(MAX_EMPTY_ITEMS + 1) + b"\x00"),
        (_NULLS, zigzag(2**62) + b"\x00"),
        (_NULLS, zigzag(-(2**62)) + b"\x00\x00"),
        ({"type": "map", "values": "null"}, b"\x04\x02a\x02a\x00"),
        (_CHAIN, b"\x02" * 100_000 + b"\x00"),
        ({"type": "array", "items": _CHAIN}, zigzag(-(2**40)) + zigzag(2**40)),
    ],
)
def test_malformed_at_once(schema: Any, body: bytes) -> None:
    """Each kind of damage is refused, in a time that the bytes bound."""
    start = time.monotonic()
    with pytest.raises(Malformed):
        structure_of(schema)(body)
    assert time.monotonic() - start < 1


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.text(), st.none() | st.floats())
def test_takes_what_fastavro_writes(numbers: list[int], text: str, real: float | None) -> None:
    """Every record of our own encoder is sound."""
    schema = {
        "type": "record",
        "name": "R",
        "fields": [
            {"name": "numbers", "type": _LONGS},
            {"name": "text", "type": "string"},
            {"name": "real", "type": ["null", "double"]},
        ],
    }
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), {"numbers": numbers, "text": text, "real": real})
    structure_of(schema)(out.getvalue())
