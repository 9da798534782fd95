"""What an operator sees of a running exchange from the broker alone: a picture of one moment, and what it adds up to.

Nothing of an event is in it: names out of the policy, the names of groups, counts, ages and policy versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tidings.decisions import Block
from tidings.log import Partition


@dataclass(frozen=True, slots=True)
class InboxSeen:
    """One inbox partition: `committed` is the first offset not decided, `end` the high watermark.

    `waiting_events` is at most how many events wait (a publisher's own transactions leave marks that count too),
    `waiting_seconds` how long the oldest has. `block` is the last part of the last decision block, None before the
    first.
    """

    partition: Partition
    agency: str
    event_type: str
    committed: int
    end: int
    waiting_events: int
    waiting_seconds: float
    block: Block | None


@dataclass(frozen=True, slots=True)
class GroupSeen:
    """A subscriber's consumer group on one feed: what it has not committed as read. `members` read in it now."""

    group: str
    members: int
    lag_views: int
    lag_seconds: float


@dataclass(frozen=True, slots=True)
class FeedSeen:
    """One feed. `views` were ever written to it; `freshness_seconds` is how long the oldest event that it may lack has
    waited in its inbox."""

    feed: str
    agency: str
    agreement: str
    event_type: str
    views: int
    freshness_seconds: float
    groups: tuple[GroupSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """One member of the exchange's group, by its slot's name. `policy_version` is the oldest one that its partitions'
    last blocks name, None where they have none."""

    name: str
    partitions: int
    policy_version: int | None


class Slowest(NamedTuple):
    """The subscriber that is furthest behind."""

    feed: FeedSeen
    group: GroupSeen


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything at one moment, `at_ms` milliseconds since 1970. `policy_version` is the newest one published.

    `holding_feeds` of its feeds get views that wait first; `windows` workers of the correction window let them go.
    """

    at_ms: int
    policy_version: int
    inboxes: tuple[InboxSeen, ...]
    feeds: tuple[FeedSeen, ...]
    workers: tuple[WorkerSeen, ...]
    quarantined: int
    holding_feeds: int = 0
    windows: int = 0

    def last_decision(self) -> Block | None:
        """The newest decision block of all partitions."""
        blocks = [each.block for each in self.inboxes if each.block is not None]
        return max(blocks, key=lambda block: block.decided_at_ms, default=None)

    def slowest(self) -> Slowest | None:
        """The group whose oldest unread view has stood longest; None where every group has read everything."""
        behind = [Slowest(feed, group) for feed in self.feeds for group in feed.groups if group.lag_views]
        return max(behind, key=lambda each: (each.group.lag_seconds, each.group.lag_views), default=None)

    def unowned(self) -> tuple[Partition, ...]:
        """The inbox partitions, when no worker is there: all of them; else none, for the group gives each away."""
        return () if self.workers else tuple(each.partition for each in self.inboxes)
