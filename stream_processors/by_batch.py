"""The three stages over an executor that takes a batch at once: the same records in, the same bytes out.

What it defers (refused, flagged, repeated or unusual events) goes through `validate` and `mask` as ever, and
its views are numbered in their place among the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stream_processors.batch import Batch, Masked, Verdict
from stream_processors.bisect import Stages, bisect
from stream_processors.compiled import CompiledInbox
from stream_processors.counts import count_batch, count_entries
from stream_processors.entries import entry_of
from stream_processors.route import Routed, Router, asides, block_of, entries_room, finish
from stream_processors.state import Chain, Owned
from stream_processors.views import outcome_of_view
from tidings.clock import utc_date
from tidings.decisions import (
    NONCE_BYTES,
    AgreementOutcome,
    BlockKind,
    Entry,
    Group,
    encode_entry,
    epoch_of,
    tag_key,
)
from tidings.log import InboxRecord
from tidings.projection import Projected
from tidings.projection.batches import BatchExecutor, Decided, Made, Numbering, mode_of

_CODES = {"delivered": 0, "withdrawn": 1, "filtered": 2}
_NO_AGREEMENTS = 2
"""An entry without agreements ends with an empty array and a null."""


def decide(
    owned: Owned,
    records: Sequence[InboxRecord],
    policy: CompiledInbox,
    engine: BatchExecutor,
    now_ms: int,
    router: Router,
    stages: Stages,
) -> Routed:
    """What `route` makes of the batch, by way of `engine`. Raises as the stages do."""
    window, chain = owned.window, owned.chain
    today = utc_date(now_ms)
    modes = bytes(mode_of(view, today) for view in policy.views)
    weighed = engine.weigh(owned.partition, records, window, modes, now_ms)
    rest = Batch(owned.partition, [records[at] for at, _ in weighed.deferred], [said for _, said in weighed.deferred])
    masked = bisect(rest, stages) if rest.records else Masked([], [])
    epoch = epoch_of(now_ms)
    entries, decided = _deferred(masked, epoch, policy, router)
    after = _after(owned, records, masked, policy)
    block = block_of(BlockKind.BATCH, owned.partition, policy.policy, now_ms, chain, after, router)
    nonces = router.random_bytes(NONCE_BYTES * len(records))
    before = [chain.sequences.get(view.written_to, 0) for view in policy.views]
    numbering = Numbering(nonces, epoch, tag_key(router.keys, epoch), before, entries_room(block, chain, policy))
    written = weighed.write(decided, numbering)
    reached = {view.written_to: last for view, last in zip(policy.views, written.sequences(), strict=True) if last}
    after = replace(after, sequences={**chain.sequences, **reached})
    block = replace(block, sequences=tuple(sorted(after.sequences.items())))
    counts = count_batch(count_entries(entries), written.outcomes(), policy.views, written.by_view())
    groups = [Group(*part) for part in written.parts()]
    messages = asides(rest, masked, policy.policy, now_ms, router)
    routed = finish(block, policy.policy, after, router, messages, groups, nonces, counts)
    routed.runs.extend(written.runs(owned.partition.partition))
    return routed


def _deferred(masked: Masked, epoch: str, policy: CompiledInbox, router: Router) -> tuple[list[Entry], list[Decided]]:
    """The entries of the deferred events without their agreements, and what each view made of them."""
    entries: list[Entry] = []
    decided: list[Decided] = []
    by_feed = {column.view.feed: column.projected for column in masked.columns}
    for at, event in enumerate(masked.judged):
        views = [by_feed[view.feed][at] if view.feed in by_feed else None for view in policy.views]
        outcomes = [
            AgreementOutcome(view.feed, outcome_of_view(view, made.outcome))
            for view, made in zip(policy.views, views, strict=True)
            if made is not None
        ]
        whole = entry_of(event, outcomes, epoch, router.keys)
        bare = replace(whole, agreements=())
        entries.append(bare)
        decided.append((encode_entry(bare)[:-_NO_AGREEMENTS], [_made(view) for view in views]))
    return entries, decided


def _made(projected: Projected | None) -> Made | None:
    return None if projected is None else (_CODES[projected.outcome], projected.key, projected.tail)


def _after(owned: Owned, records: Sequence[InboxRecord], masked: Masked, policy: CompiledInbox) -> Chain:
    """Where the partition stands after the batch, its feeds' sequences apart."""
    chain, (topic, number) = owned.chain, owned.partition
    failed = {event.offset for event in masked.judged if event.verdict is Verdict.QUARANTINED}
    if failed:
        meter = chain.meter.after((record.offset in failed for record in records), f"{topic}/{number}")
    else:
        meter = chain.meter.after_sound(len(records))
    return replace(chain, next_offset=records[-1].offset + 1, meter=meter, acknowledged=policy.policy.version)
