"""What a county's registers hand over: events in the order in which they are received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tidings import wire

Outcome: TypeAlias = Literal["accepted", "rejected", "duplicate"]
"""What the exchange makes of a record."""
PLACEHOLDER = wire.header(0)
"""Stands for the frame whose schema id only the registry knows."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is not as usual with a row: what the exchange must make of it, and why.

    `codes` are a rejection's reasons, `flags` those of an event that passes. `raw` is set where framing is the fault:
    the record's own key and value.
    """

    expected: Outcome
    codes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    fault: str | None = None
    raw: tuple[bytes | None, bytes | None] | None = None


Row: TypeAlias = tuple[int, int, bytes, bytes, Note | None]
"""When it is received (milliseconds since 1970, then three bits for the county), the number of its kind, Kafka key, the
event as Avro, and a note where there is something to say."""


def received_ms(row: Row) -> int:
    """When the row is received, in milliseconds since 1970."""
    return row[0] >> 3
