"""The wire format, and Avro's long against another writer of it."""

from __future__ import annotations

from io import BytesIO

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.errors import ReasonCode, Reject
from tidings.projection import view_head
from tidings.projection.heads import VIEW_KINDS
from tidings.wire import header, schema_id_of, zigzag, zigzags

# Small ones too, around each length in bytes.
LONGS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**23), 2**23))


@given(LONGS)
def test_a_long_is_written_as_fastavro_does(number: int) -> None:
    """Every 64-bit number, byte for byte."""
    out = BytesIO()
    fastavro.schemaless_writer(out, "long", number)

    assert zigzag(number) == out.getvalue()


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_longer_number_is_refused(number: int) -> None:
    """An Avro long has 64 bits."""
    with pytest.raises(ValueError, match="64 bits"):
        zigzag(number)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=20))
def test_a_schema_id_is_read_back(schema_id: int, body: bytes) -> None:
    """Whatever follows it."""
    assert schema_id_of(header(schema_id) + body) == schema_id


def test_the_frame_is_a_zero_byte_and_a_big_endian_id() -> None:
    """As Confluent's clients write it."""
    assert header(258) == b"\x00\x00\x00\x01\x02"
    with pytest.raises(ValueError, match="32-bit"):
        header(2**32)


@pytest.mark.parametrize("value", [b"", b"\x00\x00\x00\x01", b"\x01\x00\x00\x00\x01", b"{}    "])
def test_what_has_no_frame_is_rejected(value: bytes) -> None:
    """With its reason code, and nothing of the value."""
    with pytest.raises(Reject) as raised:
        schema_id_of(value)

    assert [each.code for each in raised.value.findings] == [ReasonCode.WIRE_FORMAT]


@given(LONGS, st.sampled_from(VIEW_KINDS), LONGS, st.binary(max_size=8))
def test_a_views_head_is_read_without_its_schema(sequence: int, kind: str, version: int, rest: bytes) -> None:
    """Sequence, kind and policy version stand first in every feed."""
    value = header(7) + zigzag(sequence) + zigzag(VIEW_KINDS.index(kind)) + zigzag(version) + rest

    assert view_head(value) == (sequence, kind, version)


@pytest.mark.parametrize(
    "body", [b"", b"\x02", b"\x02\x00", b"\x02\x0e\x02", b"\x02\x01\x02", b"\xff" * 11, b"\x02\x00\x80"]
)
def test_a_broken_head_is_rejected(body: bytes) -> None:
    """Cut short, of no known kind, or a number without an end."""
    with pytest.raises(Reject) as raised:
        view_head(header(7) + body)

    assert [each.code for each in raised.value.findings] == [ReasonCode.UNDECODABLE]


@pytest.mark.parametrize("first", [0, 1, 60, 63, 64, 8_190, 2**20 - 2, 2**62, 2**63 - 200])
def test_numbers_in_a_row_are_what_each_is(first: int) -> None:
    """Across the places where one more byte is needed, and none at all."""
    assert zigzags(first, 200) == [zigzag(first + at) for at in range(200)]
    assert zigzags(first, 0) == []


def test_numbers_in_a_row_stay_within_64_bits() -> None:
    """As one does."""
    for first, count in ((-1, 1), (2**63 - 1, 2)):
        with pytest.raises(ValueError, match="64 bits"):
            zigzags(first, count)
