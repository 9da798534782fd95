"""What a worker remembers of each inbox partition that it owns."""

from __future__ import annotations

from dataclasses import dataclass, field

from stream_processors.limits import QuarantineMeter
from tidings.deduplication import Window
from tidings.log import Partition
from tidings.projection.native import NativeWindow


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a partition stands, as its last decision block left it. Immutable: a transaction makes the next one.

    `next_offset` is the first offset not decided; `sequences` is the last sequence of each feed's partition of the same
    number; `acknowledged` is the policy version of the last block (0 before the first); `replays_to` is the last
    position of `exchange.replays` answered.
    """

    next_offset: int
    previous_hash: bytes
    meter: QuarantineMeter
    sequences: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    replays_to: int = -1


@dataclass(slots=True)
class Owned:
    """One owned partition. `chain` moves only when a transaction is committed."""

    partition: Partition
    chain: Chain
    window: Window | NativeWindow
