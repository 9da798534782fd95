"""Reads only the first three fields of a view, which stand in every feed: for accounts, gap checks and latency."""

from __future__ import annotations

from typing import NamedTuple

from tidings.errors import Finding, ReasonCode, Reject
from tidings.projection.heads import VIEW_KINDS
from tidings.wire import HEADER_BYTES, schema_id_of

_LONG_BYTES = 10


class ViewHead(NamedTuple):
    """A view's gapless sequence in its feed partition, its kind, and the policy version that decided it."""

    sequence: int
    kind: str
    policy_version: int


def view_head(value: bytes) -> ViewHead:
    """The head of a feed's value (wire header and all). Raises Reject (`wire_format`, `undecodable`)."""
    schema_id_of(value)
    sequence, at = _long(value, HEADER_BYTES)
    kind, at = _long(value, at)
    policy_version, _ = _long(value, at)
    if not 0 <= kind < len(VIEW_KINDS):
        raise Reject([Finding(ReasonCode.UNDECODABLE)])
    return ViewHead(sequence, VIEW_KINDS[kind], policy_version)


def _long(value: bytes, at: int) -> tuple[int, int]:
    """An Avro long and where the next field begins. Source: Avro 1.12, "Binary Encoding"."""
    number = 0
    for shift, byte in enumerate(value[at : at + _LONG_BYTES]):
        number |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at + shift + 1
    raise Reject([Finding(ReasonCode.UNDECODABLE)])
