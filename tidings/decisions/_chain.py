"""The chain: each part of each block holds the SHA-256 of the value before it, schema header included."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tidings.decisions._codec import decode_block
from tidings.decisions._model import Block
from tidings.errors import Fatal

FIRST_PREVIOUS = bytes(32)
"""What the first block of a partition holds as the hash of the block before."""


def block_hash(value: bytes) -> bytes:
    """The SHA-256 of a part as it stands in the log."""
    return hashlib.sha256(value).digest()


def verify_chain(values: Iterable[bytes]) -> list[Block]:
    """The blocks of one inbox partition, from its first, in order.

    Raises Fatal at the first that does not hold: the hash before it, the offsets (blocks tile the partition), the
    numbering of parts, or a sequence that goes back.
    """
    blocks: list[Block] = []
    previous, next_offset, next_part = FIRST_PREVIOUS, 0, 1
    last_sequences: dict[str, int] = {}
    for value in values:
        block = decode_block(value)
        where = f"decision block of {block.inbox}/{block.partition} at {block.first_offset}"
        if block.previous_hash != previous:
            raise Fatal(f"{where}: the chain is broken")
        if block.first_offset != next_offset or block.last_offset < block.first_offset - 1:
            raise Fatal(f"{where}: offsets do not follow the block before")
        if block.part != next_part or block.parts < block.part:
            raise Fatal(f"{where}: parts are not in order")
        if blocks and (block.inbox, block.partition) != (blocks[0].inbox, blocks[0].partition):
            raise Fatal(f"{where}: the block is of another partition")
        if block.part == block.parts:
            sequences = dict(block.sequences)
            if any(sequences.get(feed, -1) < sequence for feed, sequence in last_sequences.items()):
                raise Fatal(f"{where}: a feed's sequence goes back")
            last_sequences = sequences
        blocks.append(block)
        previous = block_hash(value)
        next_offset = block.last_offset + 1
        next_part = 1 if block.part == block.parts else block.part + 1
    return blocks
