"""Taking a held partition over: what waits in it follows from its last release block and the held topic itself."""

from __future__ import annotations

from dataclasses import dataclass

from stream_processors.correction_window.settle import Link
from stream_processors.correction_window.waiting import HeldView, Waiting
from stream_processors.resume import LogAccess
from tidings import topics
from tidings.decisions import FIRST_PREVIOUS, block_hash, parse_anchor
from tidings.errors import Fatal
from tidings.log import InboxRecord, Partition, Position
from tidings.projection.held_view import HeldViews
from tidings.releases import ReleaseBlock, decode_release_block


@dataclass(frozen=True, slots=True)
class Resumed:
    """A held partition as its last transaction left it."""

    link: Link
    waiting: Waiting


def resume(position: Position, log: LogAccess, views: HeldViews | None) -> Resumed:
    """Read what waits: the views that the last block calls waiting, and all from where it settled.

    Raises Fatal where the position and the block disagree, or a view is gone that should wait; Retriable where the
    broker is away.
    """
    partition = position.partition
    where = f"{partition.topic}/{partition.partition}"
    block, link = _last_block(position, log, where)
    waiting = Waiting(block.settled_to, block.held_sequence) if block else Waiting()
    replaced = set(block.waiting) if block else set()
    settled_to, sequence = waiting.settled_to, waiting.held_sequence
    first = min(replaced, default=settled_to)
    for record in log.read_range(partition, first, position.offset):
        if record.offset < settled_to:
            if record.offset in replaced:
                replaced.discard(record.offset)
                waiting.read(held_view(record, None, views))
            continue
        waiting.held_sequence = sequence
        waiting.read(held_view(record, sequence, views))
        sequence = waiting.held_sequence
    waiting.held_sequence = sequence
    if replaced:
        raise Fatal(f"{where}: {len(replaced)} views that wait are gone from the log")
    return Resumed(link, waiting)


def held_view(record: InboxRecord, before: int | None, views: HeldViews | None) -> HeldView:
    """One record of a held topic. `before` is the sequence of the view before it; None: it is not known.

    Raises Fatal where a view between the two is missing, or the topic's schema is not known.
    """
    where = f"{record.topic}/{record.partition}"
    if views is None:
        raise Fatal(f"{where}: views wait of a feed that this policy does not have")
    head = views.head(record.value)
    if before is not None and head.sequence != before + 1:
        raise Fatal(f"{where}: held sequence {head.sequence} follows {before}: views that wait are gone")
    return HeldView(record.offset, record.timestamp_ms, record.key, record.value or b"", head)


def _last_block(position: Position, log: LogAccess, where: str) -> tuple[ReleaseBlock | None, Link]:
    anchor = parse_anchor(position.anchor)
    if anchor is None:
        return None, Link(FIRST_PREVIOUS)
    record = log.record_at(Partition(topics.RELEASES, anchor.partition), anchor.offset)
    if record is None or record.value is None:
        raise Fatal(f"{where}: the last release block is not where the committed offset says")
    block = decode_release_block(record.value)
    if (block.held, block.partition) != tuple(position.partition):
        raise Fatal(f"{where}: the anchor leads to a block of {block.held}/{block.partition}")
    if block.settled_to > position.offset:
        raise Fatal(f"{where}: the last block settles {block.settled_to}, the committed offset is {position.offset}")
    return block, Link(block_hash(record.value), block.sequence)
