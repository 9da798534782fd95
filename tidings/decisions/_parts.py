"""Splitting what a batch decided into parts that a broker takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tidings.decisions._chain import block_hash
from tidings.decisions._codec import encode_block, encode_entry
from tidings.decisions._model import Block, Entry
from tidings.errors import Fatal

PART_BYTES = 900_000
"""The most that a part's value may hold: below Kafka's default `max.message.bytes` (1,048,588)."""


def split(block: Block, schema_id: int, limit: int = PART_BYTES) -> list[tuple[Block, bytes]]:
    """The parts of `block` with their values, chained from `block.previous_hash`, each value at most `limit` bytes.

    Each part covers its own offsets. Raises Fatal where one entry alone is larger than a part.
    """
    frame = len(encode_block(replace(block, entries=(), part=1_000_000, parts=1_000_000), schema_id)) + 30
    groups = _groups(block.entries, limit - frame)
    out: list[tuple[Block, bytes]] = []
    previous, first = block.previous_hash, block.first_offset
    for number, (entries, encoded) in enumerate(groups, start=1):
        last = number == len(groups)
        part = replace(
            block,
            previous_hash=previous,
            part=number,
            parts=len(groups),
            first_offset=first,
            last_offset=block.last_offset if last else _end(block, first, entries),
            entries=tuple(entries),
            sequences=block.sequences if last else (),
            replays_to=block.replays_to if last else -1,
        )
        value = encode_block(part, schema_id, encoded)
        out.append((part, value))
        previous, first = block_hash(value), part.last_offset + 1
    return out


def _end(block: Block, first: int, entries: Sequence[Entry]) -> int:
    """A batch's part ends with its last entry; a replay finishes no offset."""
    return entries[-1].offset if block.last_offset >= block.first_offset else first - 1


def _groups(entries: Sequence[Entry], room: int) -> list[tuple[list[Entry], list[bytes]]]:
    groups: list[tuple[list[Entry], list[bytes]]] = [([], [])]
    used = 0
    for entry in entries:
        encoded = encode_entry(entry)
        if len(encoded) > room:
            raise Fatal(f"the decision about offset {entry.offset} is larger than a block may be")
        if used + len(encoded) > room:
            groups.append(([], []))
            used = 0
        groups[-1][0].append(entry)
        groups[-1][1].append(encoded)
        used += len(encoded)
    return groups
