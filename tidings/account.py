"""The account that has to balance, per event type and policy version: what was published is what was decided, and what
was decided is what stands in the feeds. Three independent counts: the inboxes, the decision blocks, the feeds; a fourth
where views are held back: the release blocks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tidings import topics
from tidings.clock import utc_date
from tidings.decisions import Block, Entry, Outcome, ViewOutcome
from tidings.policy.in_force import in_force
from tidings.policy.model import Policy
from tidings.releases import Release, ReleaseBlock

OUTCOMES = (
    "published", "accepted", "rejected", "duplicate", "quarantined", "delivered", "withdrawn", "filtered", "held",
)  # fmt: skip
"""`held` are views that were made and are not in a feed: they wait, or a later one took their place, or their agreement
was stopped."""
_EVENT_COLUMN = {
    Outcome.REJECTED: "rejected",
    Outcome.DUPLICATE: "duplicate",
    Outcome.QUARANTINED: "quarantined",
}


class FeedHead(NamedTuple):
    """The first fields of one view in a feed: its kind (`LIVE`, `BACKFILL`, `WITHDRAWN`) and policy version."""

    kind: str
    policy_version: int


@dataclass(slots=True)
class Account:
    """Counts by event type (`rows`), and by event type and policy version what the agreements make due.

    Give it all sources with `published`, `decided`, `fed` and `released`, then ask `imbalances`. `releases` is by feed.
    """

    policies: Mapping[int, Policy]
    rows: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    due: Counter[tuple[str, int]] = field(default_factory=Counter)
    settled: Counter[tuple[str, int]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    feeds: Counter[str] = field(default_factory=Counter)
    releases: dict[str, Counter[Release]] = field(default_factory=lambda: defaultdict(Counter))
    _held: Counter[str] = field(default_factory=Counter)
    _holding: frozenset[str] = field(init=False)
    _quarantined: set[tuple[str, int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        views = (view for policy in self.policies.values() for view in policy.views)
        self._holding = frozenset(view.feed for view in views if view.hold_seconds is not None)

    def published(self, event_type: str, records: int) -> None:
        """So many committed records stand in the inboxes of `event_type`."""
        self.rows[event_type]["published"] += records

    def decided(self, block: Block) -> None:
        """One part of a decision block, in the order in which the blocks stand in their chain.

        Raises KeyError where the block names a policy version that `policies` lacks.
        """
        policy = self.policies[block.policy_version]
        event_type = next(inbox.event_type for inbox in policy.inboxes if inbox.topic == block.inbox)
        for entry in block.entries:
            self._decided_entry(block, policy, event_type, entry)

    def _decided_entry(self, block: Block, policy: Policy, event_type: str, entry: Entry) -> None:
        row = self.rows[event_type]
        place = (block.inbox, block.partition, entry.offset)
        if entry.outcome is Outcome.QUARANTINED:
            if place in self._quarantined:
                return
            self._quarantined.add(place)
        elif entry.late and place in self._quarantined:
            self._quarantined.discard(place)
            row["quarantined"] -= 1
        self.reasons.update(finding.code.value for finding in entry.findings if entry.outcome is Outcome.REJECTED)
        if not entry.outcome.accepted:
            row[_EVENT_COLUMN[entry.outcome]] += 1
            return
        row["accepted"] += 1
        today = utc_date(block.decided_at_ms)
        version = (event_type, block.policy_version)
        self.due[version] += sum(
            view.inbox == block.inbox and in_force(view, today, entry.change or "") for view in policy.views
        )
        filtered = sum(each.outcome is ViewOutcome.FILTERED for each in entry.agreements)
        row["filtered"] += filtered
        self.settled[version] += filtered
        for each in entry.agreements:
            if each.outcome is ViewOutcome.HELD:
                row["held"] += 1
                self.settled[version] += 1
                self._held[each.agreement] += 1

    def released(self, block: ReleaseBlock) -> None:
        """One block of releases, in any order."""
        self.releases[topics.feed_of_held(block.held)].update(entry.outcome for entry in block.entries)

    def fed(self, feed: str, event_type: str, heads: Iterable[FeedHead]) -> None:
        """The views that stand in one feed of `event_type`, in any order."""
        holds = feed in self._holding
        row = self.rows[event_type]
        for head in heads:
            row["withdrawn" if head.kind == "WITHDRAWN" else "delivered"] += 1
            self.feeds[feed] += 1
            # What was held was settled when it was decided: it only goes from one column to the other.
            if holds:
                row["held"] -= 1
            else:
                self.settled[event_type, head.policy_version] += 1

    def imbalances(self) -> list[str]:
        """Every line that does not add up, in words; empty where the account balances."""
        found = []
        for event_type, row in sorted(self.rows.items()):
            parts = row["accepted"] + row["rejected"] + row["duplicate"] + row["quarantined"]
            if row["published"] != parts:
                found.append(f"{event_type}: {row['published']} published, {parts} decided")
        for event_type, version in sorted(self.due.keys() | self.settled.keys()):
            due, settled = self.due[event_type, version], self.settled[event_type, version]
            if due != settled:
                found.append(f"{event_type}, policy {version}: {due} due to agreements in force, {settled} settled")
        for feed, outcomes in sorted(self.releases.items()):
            delivered = sum(count for outcome, count in outcomes.items() if outcome.delivered)
            if delivered != self.feeds[feed]:
                found.append(f"{feed}: {delivered} released, {self.feeds[feed]} there")
            if outcomes.total() > self._held[feed]:
                found.append(f"{feed}: {self._held[feed]} held, {outcomes.total()} settled")
        return found

    def table(self) -> dict[str, dict[str, int]]:
        """For each column of `OUTCOMES`, the count by event type."""
        return {
            column: {event_type: row[column] for event_type, row in sorted(self.rows.items())} for column in OUTCOMES
        }
