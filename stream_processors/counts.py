"""What a transaction decided, counted: what metrics show, without an event by event account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tidings.decisions import Entry, Outcome, ViewOutcome
from tidings.errors import ReasonCode, Severity
from tidings.policy.model import View

NAMED = 10
"""So many rejected events of a partition's share are kept to be told by name; of quarantined ones every one is."""

_OUTCOMES = (Outcome.DELIVERED, Outcome.WITHDRAWN, Outcome.FILTERED, Outcome.HELD)
_VIEW_OUTCOMES = tuple(ViewOutcome)


@dataclass(frozen=True, slots=True)
class Counts:
    """Events by outcome, views by feed and outcome, and reasons by severity and code; quarantined events give none.

    `refused` holds the quarantined events, and the first of the rejected.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    views: Counter[tuple[str, ViewOutcome]] = field(default_factory=Counter)
    reasons: Counter[tuple[Severity, ReasonCode]] = field(default_factory=Counter)
    refused: list[Entry] = field(default_factory=list, repr=False)


def count_entries(entries: Iterable[Entry]) -> Counts:
    """Count the entries of one partition's share of a transaction."""
    counts = Counts()
    for entry in entries:
        counts.outcomes[entry.outcome] += 1
        rejected = entry.outcome is Outcome.REJECTED and counts.outcomes[Outcome.REJECTED] <= NAMED
        if rejected or entry.outcome is Outcome.QUARANTINED:
            counts.refused.append(entry)
        counts.views.update((made.agreement, made.outcome) for made in entry.agreements)
        if entry.outcome is not Outcome.QUARANTINED:
            counts.reasons.update((finding.severity, finding.code) for finding in entry.findings)
    return counts


def count_batch(
    counts: Counts, outcomes: Sequence[int], views: Sequence[View], by_view: Sequence[Sequence[int]]
) -> Counts:
    """Add to `counts`, which has the deferred events' outcomes and reasons, what an executor of batches counted."""
    # An extension of before there were holds counts the first three, and is given no inbox of which views are held.
    for outcome, amount in zip(_OUTCOMES, outcomes, strict=False):
        counts.outcomes[outcome] += amount
    for view, amounts in zip(views, by_view, strict=True):
        for made, amount in zip(_VIEW_OUTCOMES, amounts, strict=False):
            if amount:
                counts.views[view.feed, made] += amount
    return counts
