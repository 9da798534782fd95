"""The third stage: where everything goes. Feeds, notices, quarantine, nonces and the decision block of one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from stream_processors.batch import Batch, Judged, Masked, Verdict
from stream_processors.compiled import CompiledInbox
from stream_processors.counts import Counts, count_entries
from stream_processors.entries import entry_of
from stream_processors.layout import Layout, system_schema_id
from stream_processors.state import Chain
from stream_processors.views import feed_messages
from tidings import topics
from tidings.decisions import (
    NONCE_BYTES,
    AgreementOutcome,
    Block,
    BlockKind,
    Group,
    block_hash,
    chain_key,
    epoch_of,
    group,
    join,
    nonce_key,
    room_of,
)
from tidings.keys import KeyRing
from tidings.log import Message, Partition, Run
from tidings.notices import Notice, NoticeOutcome, encode_notice, notice_key
from tidings.policy.model import Policy
from tidings.quarantine import QuarantineRecord, encode_quarantine, quarantine_key

_TOLD = {
    Verdict.REJECTED: NoticeOutcome.REJECTED,
    Verdict.DUPLICATE: NoticeOutcome.DUPLICATE,
    Verdict.QUARANTINED: NoticeOutcome.QUARANTINED,
}


@dataclass(frozen=True, slots=True)
class Router:
    """What `route` needs beside batch, policy and clock: who writes, with which keys, where to, and a source of nonces.

    `random_bytes(n)` gives n bytes; nothing else in the exchange is random.
    """

    worker: str
    keys: KeyRing = field(repr=False)
    layout: Layout
    random_bytes: Callable[[int], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Routed:
    """What one partition's share of a transaction writes, and where the partition stands after it."""

    messages: list[Message] = field(repr=False)
    blocks: list[Message] = field(repr=False)
    counts: Counts
    chain: Chain
    runs: list[Run] = field(default_factory=list, repr=False)


def route(batch: Batch, masked: Masked, policy: CompiledInbox, now_ms: int, chain: Chain, router: Router) -> Routed:
    """Number the views, write down what was decided, tell publisher and operators. Pure but for the nonces.

    `chain` is where the partition stands before. Raises Fatal where a limit of quarantine is passed, or offsets go
    back.
    """
    topic, number = batch.partition
    failed = (event.verdict is Verdict.QUARANTINED for event in masked.judged)
    # A replay that fails again stops nobody: an operator asked for it, and sees it in quarantine again.
    meter = chain.meter if batch.late else chain.meter.after(failed, f"{topic}/{number}")
    nonces = router.random_bytes(NONCE_BYTES * len(masked.judged))
    each_nonce = [nonces[at : at + NONCE_BYTES] for at in range(0, len(nonces), NONCE_BYTES)]
    sequences = dict(chain.sequences)
    messages: list[Message] = []
    outcomes: list[list[AgreementOutcome]] = [[] for _ in masked.judged]
    for column in masked.columns:
        topic_of_view = column.view.written_to
        sent, made, last = feed_messages(column, number, each_nonce, sequences.get(topic_of_view, 0))
        if sent:
            sequences[topic_of_view] = last
        messages += sent
        for listed, outcome in zip(outcomes, made, strict=True):
            if outcome is not None:
                listed.append(outcome)
    epoch = epoch_of(now_ms)
    entries = tuple(
        entry_of(event, agreements, epoch, router.keys, late=batch.late)
        for event, agreements in zip(masked.judged, outcomes, strict=True)
    )
    messages += asides(batch, masked, policy.policy, now_ms, router)
    next_offset = chain.next_offset if batch.late else masked.judged[-1].offset + 1
    after = Chain(next_offset, chain.previous_hash, meter, sequences, policy.policy.version, chain.replays_to)
    kind = BlockKind.REPLAY if batch.late else BlockKind.BATCH
    block = block_of(kind, batch.partition, policy.policy, now_ms, chain, after, router)
    groups = group(entries, entries_room(block, chain, policy))
    return finish(block, policy.policy, after, router, messages, groups, nonces, count_entries(entries))


def entries_room(block: Block, before: Chain, policy: CompiledInbox) -> int:
    """How many bytes of entries a part of `block` takes, whatever sequences its batch reaches: a feed that is new to
    the chain adds a name, its length and a long."""
    without = replace(block, sequences=tuple(sorted(before.sequences.items())))
    names = sum(len(view.feed) + 16 for view in policy.views)
    return room_of(without, system_schema_id(policy.policy, topics.DECISIONS)) - names


def block_of(
    kind: BlockKind, partition: Partition, policy: Policy, now_ms: int, before: Chain, after: Chain, router: Router
) -> Block:
    """The decision block that leads a partition from `before` to `after`, its entries left out."""
    topic, number = partition
    return Block(
        kind=kind,
        inbox=topic,
        partition=number,
        first_offset=before.next_offset,
        last_offset=after.next_offset - 1,
        previous_hash=before.previous_hash,
        policy_version=policy.version,
        policy_hash=policy.hash,
        decided_at_ms=now_ms,
        worker=router.worker,
        sequences=tuple(sorted(after.sequences.items())),
        replays_to=after.replays_to,
    )


def finish(
    block: Block,
    policy: Policy,
    after: Chain,
    router: Router,
    messages: list[Message],
    groups: Sequence[Group],
    nonces: bytes,
    counts: Counts,
) -> Routed:
    """Close what was decided with its block: parts, nonces (16 bytes an entry), and the chain moved on."""
    topic, number = block.inbox, block.partition
    parts = join(block, groups, system_schema_id(policy, topics.DECISIONS))
    at = 0
    for part in parts:
        if part.entries:
            end = at + part.entries * NONCE_BYTES
            # A replay decides earlier offsets again, beside their first nonces: its key tells the two apart.
            suffix = f"/late/{after.replays_to}" if block.kind is BlockKind.REPLAY else ""
            name = nonce_key(topic, number, part.first_offset) + suffix.encode()
            messages.append(router.layout.message(topics.NONCES, name, nonces[at:end]))
            at = end
    key = chain_key(Partition(topic, number))
    blocks = [router.layout.message(topics.DECISIONS, key, part.value) for part in parts]
    chain = Chain(
        after.next_offset,
        block_hash(parts[-1].value),
        after.meter,
        after.sequences,
        policy.version,
        after.replays_to,
    )
    return Routed(messages, blocks, counts, chain)


def asides(batch: Batch, masked: Masked, policy: Policy, now_ms: int, router: Router) -> list[Message]:
    """Notices to the publisher and records to quarantine."""
    topic = batch.partition.topic
    notices = topics.notices(topics.parse_inbox(topic).agency)
    messages: list[Message] = []
    for event in masked.judged:
        if event.fault is not None:
            record = _quarantined(batch, event, policy, now_ms, router.worker)
            value = encode_quarantine(record, system_schema_id(policy, topics.QUARANTINE))
            messages.append(router.layout.message(topics.QUARANTINE, quarantine_key(record), value))
        if (outcome := _told(event, late=batch.late)) is not None:
            notice = _notice(batch, event, outcome, policy, now_ms)
            value = encode_notice(notice, system_schema_id(policy, notices))
            messages.append(router.layout.message(notices, notice_key(notice), value))
    return messages


def _told(event: Judged, *, late: bool) -> NoticeOutcome | None:
    """What the publisher is told of an event; None where it was accepted and there is nothing to say."""
    if event.fault is not None:
        return NoticeOutcome.QUARANTINED
    if event.verdict is Verdict.ACCEPTED:
        return NoticeOutcome.FLAGGED if event.findings else NoticeOutcome.ACCEPTED if late else None
    return _TOLD[event.verdict]


def _notice(batch: Batch, event: Judged, outcome: NoticeOutcome, policy: Policy, now_ms: int) -> Notice:
    return Notice(
        outcome=outcome,
        inbox=batch.partition.topic,
        partition=batch.partition.partition,
        offset=event.offset,
        event_id=event.event_id,
        schema_id=event.schema_id,
        findings=event.findings,
        policy_version=policy.version,
        decided_at_ms=now_ms,
        late=batch.late,
    )


def _quarantined(batch: Batch, event: Judged, policy: Policy, now_ms: int, worker: str) -> QuarantineRecord:
    assert event.fault is not None  # noqa: S101 -- the caller has looked; this tells mypy
    return QuarantineRecord(
        inbox=batch.partition.topic,
        partition=batch.partition.partition,
        offset=event.offset,
        code=event.fault.code.value,
        error=event.fault.error,
        where=event.fault.where,
        policy_version=policy.version,
        decided_at_ms=now_ms,
        worker=worker,
        late=batch.late,
    )
