"""Replays out of quarantine, exactly once, by the same chain that carries everything else.

`tidings quarantine replay` appends one request (inbox, partition, offset) to `exchange.replays`, a topic of one
partition that every worker reads whole, outside any group. A request's *position* is its offset there. Each inbox
partition's decision chain carries `replays_to`, the last position that it has answered; the worker that owns the
partition answers the requests behind it in `idle`, in order: it reads the record at the asked offset, decides it
again under the policy in force, bypassing the deduplication window and marked late, and writes views, a REPLAY block
with the new `replays_to`, and the anchor to that block in one transaction. So a crash before the commit answers the
request again, a crash after never does, and whoever takes the partition over goes on from the block: no group offset
of `exchange.replays` is needed.

A request names the block that put the event into quarantine. It is looked up: an event that this block does not say was
quarantined is passed over, and so is one that the log no longer has. Each failure is tried again once, however often it
is asked for (`ReplayLog`), and one that succeeds leaves no failure to be named: nothing is delivered twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from stream_processors.resume import LogAccess
from stream_processors.state import Chain
from tidings.decisions import Outcome, chain_key, decode_block
from tidings.log import Partition
from tidings.replays import ReplayRequest

REPLAY_MAX_EVENTS = 500
"""How many requests of one partition are answered in one transaction."""


class ReplaySource(Protocol):
    """The requests of `exchange.replays`, read in the background or in bounded time: it is called at every `idle`."""

    def requests(self, partition: Partition, after: int, now_ms: int) -> Sequence[ReplayRequest]:
        """The requests for `partition` at positions above `after`, in order. Raises Retriable where it is away."""
        ...


class DueReplays(NamedTuple):
    """Offsets to decide again, each once and in order, and the position that this answers up to."""

    offsets: list[int]
    replays_to: int


def due_replays(
    source: ReplaySource, log: LogAccess, partition: Partition, chain: Chain, decisions: Partition, now_ms: int
) -> DueReplays | None:
    """What is to be answered next for a partition, or None. What was not put into quarantine is passed over.

    `decisions` is where the partition's chain stands. Raises Retriable where the broker is away.
    """
    requests = source.requests(partition, chain.replays_to, now_ms)[:REPLAY_MAX_EVENTS]
    if not requests:
        return None
    blocks = dict.fromkeys(request.block for request in requests)
    quarantined = {block: _quarantined(log, partition, decisions, block) for block in blocks}
    offsets = sorted({request.offset for request in requests if request.offset in quarantined[request.block]})
    return DueReplays(offsets, requests[-1].position)


def _quarantined(log: LogAccess, partition: Partition, decisions: Partition, at: int) -> frozenset[int]:
    """The offsets that one block of a partition's chain says were put into quarantine."""
    record = log.record_at(decisions, at)
    if record is None or record.value is None or record.key != chain_key(partition):
        return frozenset()
    entries = decode_block(record.value).entries
    return frozenset(entry.offset for entry in entries if entry.outcome is Outcome.QUARANTINED)
