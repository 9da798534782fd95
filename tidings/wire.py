"""The Confluent wire format: a zero byte, a 4-byte big-endian schema id, then the Avro body.

Source: Confluent Schema Registry documentation, "Wire format".
"""

from __future__ import annotations

import struct

from tidings.errors import Finding, ReasonCode, Reject

MAGIC = 0
HEADER_BYTES = 5
_HEADER = struct.Struct(">bI")
_ONE_BYTE = tuple(bytes((byte,)) for byte in range(0x80))


def header(schema_id: int) -> bytes:
    """The 5 bytes before an Avro body. Raises ValueError where `schema_id` does not fit 32 bits unsigned."""
    if not 0 <= schema_id < 2**32:
        raise ValueError("a schema id is a 32-bit unsigned number")
    return _HEADER.pack(MAGIC, schema_id)


def schema_id_of(value: bytes) -> int:
    """The schema id of a framed value. Raises Reject (`wire_format`) where there is no such frame."""
    if len(value) < HEADER_BYTES or value[0] != MAGIC:
        raise Reject([Finding(ReasonCode.WIRE_FORMAT)])
    return int(_HEADER.unpack_from(value)[1])


def sized(data: bytes) -> bytes:
    """Avro bytes, or a string in UTF-8: the length, then the bytes."""
    return zigzag(len(data)) + data


def zigzag(number: int) -> bytes:
    """A long as Avro writes it. Raises ValueError beyond 64 bits. Source: Avro 1.12, "Binary Encoding"."""
    if not -(2**63) <= number < 2**63:
        raise ValueError("an Avro long has 64 bits")
    rest = (number << 1) ^ (number >> 63)
    if rest < 0x80:
        return _ONE_BYTE[rest]
    if rest < 0x4000:
        return bytes(((rest & 0x7F) | 0x80, rest >> 7))
    if rest < 0x200000:
        return bytes(((rest & 0x7F) | 0x80, ((rest >> 7) & 0x7F) | 0x80, rest >> 14))
    return _varint(rest)


def zigzags(first: int, count: int) -> list[bytes]:
    """`zigzag` of `count` numbers from `first`, which is not negative, on: at a fifth of the price.

    Raises ValueError as `zigzag`.
    """
    if first < 0 or first + count > 2**63:
        raise ValueError("an Avro long has 64 bits")
    made: list[bytes] = []
    end = first + count
    while first < end:
        # Of 64 numbers in a row, which begin with different bytes, the others are the same.
        high, low = divmod(first, 64)
        some = _FIRST_BYTES[low : low + end - first]
        rest = _varint(high)
        made += [byte + rest for byte in some] if high else _ONE_BYTE[2 * low : 2 * (low + len(some)) : 2]
        first += len(some)
    return made


_FIRST_BYTES = tuple(bytes((2 * number | 0x80,)) for number in range(64))


def _varint(rest: int) -> bytes:
    """A number that is not negative, seven bits a byte."""
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)
