"""Splitting what a batch decided into parts that a broker takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from tidings.decisions._chain import block_hash
from tidings.decisions._codec import encode_block
from tidings.decisions._entry_bytes import encode_entry
from tidings.decisions._model import Block, Entry
from tidings.errors import Fatal

PART_BYTES = 900_000
"""The most that a part's value may hold: below Kafka's default `max.message.bytes` (1,048,588)."""


class Group(NamedTuple):
    """Entries of one part, encoded: how many, the last one's offset, and their Avro bytes in a row."""

    entries: int
    last_offset: int
    encoded: bytes


class Part(NamedTuple):
    """One part of a block as it stands in `exchange.decisions`."""

    first_offset: int
    entries: int
    value: bytes


def room_of(block: Block, schema_id: int, limit: int = PART_BYTES) -> int:
    """How many bytes of entries a part of `block` takes, for its value to hold at most `limit` bytes."""
    return limit - len(encode_block(replace(block, entries=(), part=1_000_000, parts=1_000_000), schema_id)) - 30


def group(entries: Sequence[Entry], room: int) -> list[Group]:
    """The entries in groups of at most `room` bytes; at least one group. Raises Fatal where one entry is larger."""
    groups: list[Group] = []
    held: list[bytes] = []
    used = last = 0
    for entry in entries:
        encoded = encode_entry(entry)
        if len(encoded) > room:
            raise Fatal(f"the decision about offset {entry.offset} is larger than a block may be")
        if used + len(encoded) > room:
            groups.append(Group(len(held), last, b"".join(held)))
            held, used = [], 0
        held.append(encoded)
        used, last = used + len(encoded), entry.offset
    return [*groups, Group(len(held), last, b"".join(held))]


def join(block: Block, groups: Sequence[Group], schema_id: int) -> list[Part]:
    """The parts of `block`, a group each, chained from `block.previous_hash`; `block.entries` is not read.

    Each part covers its own offsets: a batch's ends with its last entry; a replay finishes no offset.
    """
    out: list[Part] = []
    previous, first = block.previous_hash, block.first_offset
    tiles = block.last_offset >= block.first_offset
    for number, each in enumerate(groups, start=1):
        last = number == len(groups)
        part = replace(
            block,
            previous_hash=previous,
            part=number,
            parts=len(groups),
            first_offset=first,
            last_offset=block.last_offset if last else (each.last_offset if tiles else first - 1),
            entries=(),
            sequences=block.sequences if last else (),
            replays_to=block.replays_to if last else -1,
        )
        value = encode_block(part, schema_id, (each.entries, each.encoded))
        out.append(Part(first, each.entries, value))
        previous, first = block_hash(value), part.last_offset + 1
    return out


def split(block: Block, schema_id: int, limit: int = PART_BYTES) -> list[Part]:
    """The parts of `block`, each value at most `limit` bytes. Raises Fatal where one entry is larger than a part."""
    return join(block, group(block.entries, room_of(block, schema_id, limit)), schema_id)
