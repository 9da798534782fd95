"""Taking a partition over: where it stands is read from the log alone, and nothing starts silently."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from stream_processors.limits import QuarantineLimits, QuarantineMeter
from stream_processors.state import Chain, Owned
from tidings import topics
from tidings.decisions import FIRST_PREVIOUS, Block, Outcome, block_hash, decode_block, parse_anchor
from tidings.deduplication import Window
from tidings.errors import Fatal
from tidings.log import InboxRecord, Partition, Position
from tidings.projection.native import NativeWindow


class LogAccess(Protocol):
    """Reads of committed records. May block on a broker; raises Retriable where it is away."""

    def read_range(self, partition: Partition, first: int, end: int) -> Iterable[InboxRecord]:
        """The committed records of `partition` in [`first`, `end`), in order, from where the log still has them."""
        ...

    def record_at(self, partition: Partition, offset: int) -> InboxRecord | None:
        """The committed record at exactly `offset`, or None where there is none."""
        ...


def resume(
    position: Position,
    window: Window | NativeWindow,
    log: LogAccess,
    limits: QuarantineLimits,
) -> Owned:
    """The partition as its last transaction left it.

    Reads the last decision block at the anchor, and as many offsets of the inbox as the (empty) window holds. Raises
    Fatal where the position and the block disagree, Retriable where the broker is away.
    """
    chain = _chain(position, log, limits)
    fill(window, position.partition, position.offset, log)
    return Owned(position.partition, chain, window)


def fill(window: Window | NativeWindow, partition: Partition, end: int, log: LogAccess) -> None:
    """Rebuild a window from the inbox's log, for the record at `end` to be seen next."""
    first = max(0, end - window.size)
    window.load(log.read_range(partition, first, end) if first < end else (), end)


def _chain(position: Position, log: LogAccess, limits: QuarantineLimits) -> Chain:
    where = f"{position.partition.topic}/{position.partition.partition}"
    anchor = parse_anchor(position.anchor)
    if anchor is None:
        if position.offset != 0:
            raise Fatal(f"{where}: the offset is {position.offset}, yet no block was ever written")
        return Chain(0, FIRST_PREVIOUS, QuarantineMeter(limits))
    record = log.record_at(Partition(topics.DECISIONS, anchor.partition), anchor.offset)
    if record is None or record.value is None:
        raise Fatal(f"{where}: the last decision block is not where the committed offset says")
    block = decode_block(record.value)
    if (block.inbox, block.partition) != tuple(position.partition):
        raise Fatal(f"{where}: the anchor leads to a block of {block.inbox}/{block.partition}")
    if block.part != block.parts or block.last_offset + 1 != position.offset:
        raise Fatal(f"{where}: the last block ends at {block.last_offset}, the committed offset is {position.offset}")
    return Chain(
        next_offset=position.offset,
        previous_hash=block_hash(record.value),
        meter=_meter(block, limits, where),
        sequences=dict(block.sequences),
        acknowledged=block.policy_version,
        replays_to=block.replays_to,
    )


def _meter(block: Block, limits: QuarantineLimits, where: str) -> QuarantineMeter:
    """A restart does not forget the run of failures that the last part ended with."""
    failed = (entry.outcome is Outcome.QUARANTINED for entry in block.entries)
    return QuarantineMeter(limits).after(failed, where)
