"""What one transaction makes of the views whose turn it is: messages to the feed, and the block that tells of them.
Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from stream_processors.correction_window.waiting import Due, Waiting
from stream_processors.layout import Layout, system_schema_id
from tidings import topics
from tidings.clock import utc_date
from tidings.decisions import block_hash, chain_key
from tidings.log import Message, Partition
from tidings.policy.in_force import in_force
from tidings.policy.model import Policy, View
from tidings.projection.held_view import HeldViews
from tidings.releases import Release, ReleaseBlock, ReleaseEntry, encode_release_block


@dataclass(frozen=True, slots=True)
class Link:
    """Where a held partition's chain of release blocks stands: the last one's hash, and the feed's last sequence."""

    previous_hash: bytes
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """One partition's share of a transaction."""

    messages: list[Message] = field(repr=False)
    block: Message = field(repr=False)
    link: Link
    offsets: tuple[int, ...]
    outcomes: Counter[Release]


def turns(waiting: Waiting, view: View | None, now_ms: int, limit: int) -> list[Due]:
    """The views whose turn it is by the clock, at most `limit`: those whose hold has passed since the broker took them
    from the exchange; all where the agreement is stopped, or no longer in the policy."""
    found: list[Due] = []
    for due in waiting.line():
        if len(found) == limit or (not _is_over(view) and due.view.held_at_ms + _hold_ms(view) > now_ms):
            break
        found.append(due)
    return found


def settle(
    partition: Partition, due: Sequence[Due], waiting: Waiting, view: View | None, link: Link, now_ms: int, *,
    policy: Policy, views: HeldViews | None, layout: Layout, worker: str,
) -> Settled:  # fmt: skip
    """Release `due`, the first in line, or settle them as stopped where their agreement is not in force.

    `views` numbers the feed's views; None where the policy has no such feed any more.
    """
    messages: list[Message] = []
    entries: list[ReleaseEntry] = []
    sequence = link.sequence
    for each in due:
        held = each.view
        going = view is not None and views is not None and _goes(view, each, now_ms)
        if going and view is not None and views is not None:
            sequence += 1
            value = views.numbered(held.value, sequence, corrected=each.corrected)
            messages.append(Message(view.feed, partition.partition, held.key, value))
        outcome = (Release.CORRECTED if each.corrected else Release.RELEASED) if going else Release.STOPPED
        entries += [
            ReleaseEntry(before.offset, before.head.sequence, Release.REPLACED, None, held.offset)
            for before in each.replaced
        ]
        entries.append(ReleaseEntry(held.offset, held.head.sequence, outcome, sequence if going else None))
    last = due[-1].view
    leaving = {before.offset for each in due for before in each.replaced}
    block = ReleaseBlock(
        held=partition.topic,
        partition=partition.partition,
        previous_hash=link.previous_hash,
        policy_version=policy.version,
        policy_hash=policy.hash,
        released_at_ms=now_ms,
        worker=worker,
        settled_to=last.offset + 1,
        held_sequence=last.head.sequence,
        sequence=sequence,
        waiting=tuple(sorted(at for at in waiting.replaced() - leaving if at <= last.offset)),
        entries=tuple(entries),
    )
    value = encode_release_block(block, system_schema_id(policy, topics.RELEASES))
    return Settled(
        messages=messages,
        block=layout.message(topics.RELEASES, chain_key(partition), value),
        link=Link(block_hash(value), sequence),
        offsets=tuple(each.view.offset for each in due),
        outcomes=Counter(entry.outcome for entry in entries),
    )


def _is_over(view: View | None) -> bool:
    return view is None or view.stopped


def _hold_ms(view: View | None) -> int:
    return 1_000 * ((view.hold_seconds or 0) if view else 0)


def _goes(view: View, due: Due, now_ms: int) -> bool:
    """Whether the agreement is in force for a view. A withdrawal has no change: it is a correction of what was sent."""
    return in_force(view, utc_date(now_ms), "CORRECTED" if due.corrected else due.view.head.change or "CORRECTED")
