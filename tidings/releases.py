"""Release blocks: what the correction window made of the views that waited, chained by hash, with no clear value in
them. One block a transaction and held partition, in the same transaction as the views that it tells of.

A view's entry names it by its offset in the held topic and its sequence there, which its decision has too. The newest
block of a partition also says all that a successor needs to go on.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import fastavro

from tidings import wire
from tidings.decisions import FIRST_PREVIOUS, block_hash
from tidings.errors import Fatal

FORMAT = 1


class Release(StrEnum):
    """What became of a view that waited.

    RELEASED: it went to its feed, as it was. CORRECTED: it went there as the one correction that an annulment and its
    re-creation came to. REPLACED: it went nowhere, a later view of its record took its place. STOPPED: it went nowhere,
    since its agreement is not in force.
    """

    RELEASED = "RELEASED"
    CORRECTED = "CORRECTED"
    REPLACED = "REPLACED"
    STOPPED = "STOPPED"

    @property
    def delivered(self) -> bool:
        """Whether a view went to the feed."""
        return self in _DELIVERED


_DELIVERED = frozenset({Release.RELEASED, Release.CORRECTED})


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """What became of one held view. `sequence` is its sequence in the feed, where it went there; `replaced_by` the
    offset of the view that took its place, where one did."""

    offset: int
    held_sequence: int
    outcome: Release
    sequence: int | None = None
    replaced_by: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseBlock:
    """One transaction's releases of one held partition, and where the partition stands after it.

    Every view below `settled_to` has its entry, but those at the offsets `waiting`: a later view has taken their place
    and itself waits. `held_sequence` is the last one below `settled_to`, `sequence` the feed partition's last.
    """

    held: str
    partition: int
    previous_hash: bytes
    policy_version: int
    policy_hash: str
    released_at_ms: int
    worker: str
    settled_to: int
    held_sequence: int
    sequence: int
    waiting: tuple[int, ...]
    entries: tuple[ReleaseEntry, ...]


_ENTRY: dict[str, Any] = {
    "type": "record",
    "name": "ReleaseEntry",
    "doc": "What became of one view that waited.",
    "fields": [
        {"name": "offset", "type": "long", "doc": "In the partition of the held topic."},
        {"name": "held_sequence", "type": "long", "doc": "The view's sequence there: its decision names it, too."},
        {"name": "outcome", "type": {"type": "enum", "name": "Release", "symbols": [each.value for each in Release]}},
        {"name": "sequence", "type": ["null", "long"], "doc": "The view's sequence in the feed's partition."},
        {"name": "replaced_by", "type": ["null", "long"], "doc": "The offset of the view that took its place."},
    ],
}

RELEASE_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "ReleaseBlock",
    "namespace": "tidings.exchange",
    "doc": "What the correction window made of views that waited in one held partition. Holds no clear value.",
    "fields": [
        {"name": "format", "type": "int"},
        {"name": "held", "type": "string", "doc": "The topic where views wait."},
        {"name": "partition", "type": "int"},
        {
            "name": "previous_hash",
            "type": {"type": "fixed", "name": "Hash", "size": 32},
            "doc": "SHA-256 of the whole value of the block before; zeros at first.",
        },
        {"name": "policy_version", "type": "long"},
        {"name": "policy_hash", "type": "string"},
        {"name": "released_at", "type": "long", "doc": "The one clock reading, in milliseconds since 1970."},
        {"name": "worker", "type": "string"},
        {"name": "settled_to", "type": "long", "doc": "Every view below has its entry, but those at `waiting`."},
        {"name": "held_sequence", "type": "long", "doc": "The last held sequence below `settled_to`."},
        {"name": "sequence", "type": "long", "doc": "The last sequence of the feed's partition."},
        {
            "name": "waiting",
            "type": {"type": "array", "items": "long"},
            "doc": "Offsets below `settled_to` of views whose place a later view has taken that still waits.",
        },
        {"name": "entries", "type": {"type": "array", "items": _ENTRY}},
    ],
}
"""What `tidings apply` registers for `exchange.releases-value`."""

_SCHEMA = fastavro.parse_schema(RELEASE_SCHEMA)


def encode_release_block(block: ReleaseBlock, schema_id: int) -> bytes:
    """A block as it stands in `exchange.releases`."""
    out = io.BytesIO()
    entries = [
        {
            "offset": each.offset,
            "held_sequence": each.held_sequence,
            "outcome": each.outcome.value,
            "sequence": each.sequence,
            "replaced_by": each.replaced_by,
        }
        for each in block.entries
    ]
    record = {
        "format": FORMAT,
        "held": block.held,
        "partition": block.partition,
        "previous_hash": block.previous_hash,
        "policy_version": block.policy_version,
        "policy_hash": block.policy_hash,
        "released_at": block.released_at_ms,
        "worker": block.worker,
        "settled_to": block.settled_to,
        "held_sequence": block.held_sequence,
        "sequence": block.sequence,
        "waiting": list(block.waiting),
        "entries": entries,
    }
    fastavro.schemaless_writer(out, _SCHEMA, record)
    return wire.header(schema_id) + out.getvalue()


def decode_release_block(value: bytes) -> ReleaseBlock:
    """The block of a record's value. Raises Fatal where it is not one: evidence that cannot be read is no evidence."""
    try:
        wire.schema_id_of(value)
        stream = io.BytesIO(value[wire.HEADER_BYTES :])
        read: Any = fastavro.schemaless_reader(stream, _SCHEMA, None)
        entries = tuple(
            ReleaseEntry(
                each["offset"], each["held_sequence"], Release(each["outcome"]), each["sequence"], each["replaced_by"]
            )
            for each in read["entries"]
        )
    except Exception:  # noqa: BLE001 -- whatever is wrong with the bytes, the answer is the same
        raise Fatal("a release block cannot be read") from None
    if stream.read(1) or read["format"] != FORMAT:
        raise Fatal("a release block is of another format")
    return ReleaseBlock(
        held=read["held"],
        partition=read["partition"],
        previous_hash=read["previous_hash"],
        policy_version=read["policy_version"],
        policy_hash=read["policy_hash"],
        released_at_ms=read["released_at"],
        worker=read["worker"],
        settled_to=read["settled_to"],
        held_sequence=read["held_sequence"],
        sequence=read["sequence"],
        waiting=tuple(read["waiting"]),
        entries=entries,
    )


def verify_releases(values: Iterable[bytes]) -> list[ReleaseBlock]:
    """The blocks of one held partition, from its first, in order.

    Raises Fatal at the first that does not hold: the hash before it, another partition, a feed's sequences with a gap,
    or a view that was settled twice.
    """
    blocks: list[ReleaseBlock] = []
    previous, sequence = FIRST_PREVIOUS, 0
    settled: set[int] = set()
    for value in values:
        block = decode_release_block(value)
        where = f"release block of {block.held}/{block.partition} after sequence {sequence}"
        if block.previous_hash != previous:
            raise Fatal(f"{where}: the chain is broken")
        if blocks and (block.held, block.partition) != (blocks[0].held, blocks[0].partition):
            raise Fatal(f"{where}: the block is of another partition")
        delivered = [each.sequence for each in block.entries if each.outcome.delivered]
        if delivered != list(range(sequence + 1, block.sequence + 1)):
            raise Fatal(f"{where}: the feed's sequences do not follow")
        offsets = {each.offset for each in block.entries}
        if len(offsets) < len(block.entries) or settled & offsets:
            raise Fatal(f"{where}: a view is settled twice")
        settled |= offsets
        previous, sequence = block_hash(value), block.sequence
        blocks.append(block)
    return blocks
