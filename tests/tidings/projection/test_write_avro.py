"""The writer of views writes what fastavro writes, byte for byte."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.projection.write_avro import writer_of

INNER = {
    "type": "record",
    "name": "t.Inner",
    "fields": [
        {"name": "text", "type": ["null", "string"], "default": None},
        {"name": "list", "type": {"type": "array", "items": "string"}, "default": []},
        {"name": "more", "type": ["null", "t.Inner"], "default": None},
    ],
}
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "t.Outer",
    "fields": [
        {"name": "int", "type": "int"},
        {"name": "long", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "double", "type": "double"},
        {"name": "float", "type": "float"},
        {"name": "truth", "type": "boolean"},
        {"name": "bytes", "type": ["bytes", "null"], "default": ""},
        {"name": "fixed", "type": {"type": "fixed", "name": "t.Two", "size": 2}},
        {"name": "enum", "type": {"type": "enum", "name": "t.E", "symbols": ["A", "B", "C"]}},
        {"name": "inner", "type": ["null", INNER], "default": None},
        {"name": "inners", "type": {"type": "array", "items": "t.Inner"}, "default": []},
    ],
}
TEXT = st.text(max_size=90)
INNERS = st.recursive(
    st.fixed_dictionaries({"text": st.none() | TEXT}, optional={"list": st.lists(TEXT, max_size=3)}),
    lambda deeper: st.fixed_dictionaries({"text": TEXT, "more": st.none() | deeper}),
    max_leaves=4,
)
RECORDS = st.fixed_dictionaries(
    {
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "double": st.floats(allow_nan=False),
        "float": st.floats(width=32, allow_nan=False),
        "truth": st.booleans(),
        "bytes": st.none() | st.binary(max_size=90),
        "fixed": st.binary(min_size=2, max_size=2),
        "enum": st.sampled_from("ABC"),
    },
    optional={"inner": st.none() | INNERS, "inners": st.lists(INNERS, max_size=70)},
)
WRITE, PARSED = writer_of(SCHEMA), fastavro.parse_schema(SCHEMA)


@given(RECORDS)
def test_the_bytes_are_fastavro_s(record: dict[str, Any]) -> None:
    """Every type, nested and recursive, with and without its optional fields."""
    out = BytesIO()
    fastavro.schemaless_writer(out, PARSED, record)
    assert WRITE(record) == out.getvalue()


def test_what_it_does_not_know_goes_to_fastavro() -> None:
    """A union of two types and a map are written all the same."""
    schema = {
        "type": "record",
        "name": "t.Wide",
        "fields": [
            {"name": "either", "type": ["null", "long", "string"]},
            {"name": "map", "type": {"type": "map", "values": "long"}},
        ],
    }
    assert writer_of(schema)({"either": "x", "map": {"a": 1}}) == b"\x04\x02x\x02\x02a\x02\x00"


@pytest.mark.parametrize(
    "wrong",
    [{"int": 2**31}, {"long": 2**63}, {"enum": "D"}, {"fixed": b"abc"}, {"truth": None, "int": None}, {"bytes": 5}],
)
def test_a_value_of_another_type_is_refused(wrong: dict[str, Any]) -> None:
    """Nothing that does not fit is written as something else."""
    sound = {
        "int": 1, "long": 1, "double": 1.0, "float": 1.0, "truth": True, "bytes": None, "fixed": b"ab", "enum": "A",
    }  # fmt: skip
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        WRITE(sound | wrong)
