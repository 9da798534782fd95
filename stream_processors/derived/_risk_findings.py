"""What the risk monitor finds: a finding's form, and the rules, each a pure function of numbers and the policy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Any

from stream_processors.derived._risk_fields import Told, told
from stream_processors.derived._risk_sketch import FEW, Shared
from tidings.policy.model import View

LOW, MEDIUM, HIGH = "LOW", "MEDIUM", "HIGH"
SEVERITIES = (LOW, MEDIUM, HIGH)
KINDS = ("volume", "reidentification", "linkable", "unmasked", "unused", "expiring", "broader")

MONTH_DAYS = 30
LEAST_DAYS = 7
"""Days of history before a day can be out of the ordinary."""
OUTLIER = 3.5
FAR_MORE, VERY_FAR_MORE = 2.0, 10.0
LEAST_VIEWS = 20
UNUSED_DAYS = 90
EXPIRING_DAYS = ((7, HIGH), (30, MEDIUM), (60, LOW))
LEAST_SUBJECTS = 100
UNIQUE_SHARES = ((0.5, HIGH), (0.2, MEDIUM), (0.05, LOW))
LEAST_FOR_EMPTY = 200
_SENSITIVE = {"special": HIGH, "criminal": HIGH, "location": MEDIUM, "child": MEDIUM}


@dataclass(frozen=True, slots=True)
class Found:
    """One finding. `evidence` are numbers by name, `paths` fields of schemas; neither holds a value of an event."""

    kind: str
    severity: str
    agreements: tuple[str, ...]
    event_type: str | None
    evidence: Mapping[str, float] = field(default_factory=dict)
    paths: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is kept under: the same matter has the same name each day."""
        return "/".join((self.kind, *self.agreements, *([self.event_type] if self.event_type else [])))


def volume(view: View, day: int, before: Sequence[int]) -> Iterator[Found]:
    """A day with far more views than its history. `before` are the days before, silent ones included.

    The modified z-score, 0.6745 (x - median) / MAD, beyond 3.5 is an outlier. Source: B. Iglewicz and D. Hoaglin,
    "How to Detect and Handle Outliers", 1993; NIST/SEMATECH e-Handbook, 1.3.5.17. Where the days before hardly
    differ, the deviation is at least that of a Poisson count of their median.
    """
    if len(before) < LEAST_DAYS or day < LEAST_VIEWS:
        return
    median = statistics.median(before)
    mad = statistics.median(abs(each - median) for each in before)
    deviation = max(mad / 0.6745, math.sqrt(median), 1.0)
    score, ratio = (day - median) / deviation, day / max(median, 1.0)
    if score > OUTLIER and ratio >= FAR_MORE:
        evidence = {"views": day, "usual_views": median, "score": score, "days_of_history": len(before)}
        yield Found("volume", HIGH if ratio >= VERY_FAR_MORE else MEDIUM, (view.agreement,), view.event_type, evidence)


def reidentification(view: View, says: Shared) -> Iterator[Found]:
    """Combinations of quasi-identifiers that were released and that one subject alone has."""
    if says.sampled < LEAST_SUBJECTS or any(each.names_a_person for each in told(view.view_schema)):
        return
    for bound, severity in UNIQUE_SHARES:
        if says.unique_share >= bound:
            evidence = {
                "combinations": says.combinations, "unique_share": says.unique_share,
                f"fewer_than_{FEW}_share": says.few_share, "sampled": says.sampled,
            }  # fmt: skip
            paths = tuple(each.path for each in told(view.view_schema) if each.is_quasi)
            yield Found("reidentification", severity, (view.agreement,), view.event_type, evidence, paths)
            return


def unused(view: View, days: int) -> Iterator[Found]:
    """A feed in force to which nothing was told for so many days."""
    if days >= UNUSED_DAYS:
        yield Found("unused", LOW, (view.agreement,), view.event_type, {"days": days})


def expiring(view: View, today: date) -> Iterator[Found]:
    """An agreement that ends soon: whoever needs it has to have another by then."""
    left = (view.valid_until - today).days
    for days, severity in EXPIRING_DAYS:
        if 0 <= left <= days:
            yield Found("expiring", severity, (view.agreement,), None, {"days_left": left})
            return


def broader(view: View, views: int, filled: Mapping[str, int]) -> Iterator[Found]:
    """Fields that an agreement gives and no view held."""
    empty = tuple(each.path for each in told(view.view_schema) if not filled.get(each.path))
    if views >= LEAST_FOR_EMPTY and empty:
        yield Found("broader", LOW, (view.agreement,), view.event_type, {"views": views, "fields": len(empty)}, empty)


def linkable(views: Iterable[View]) -> Iterator[Found]:
    """Two agreements of one agency that together reveal what neither may.

    They can be joined where they hear of the same events (the same inbox: by time, order and partition, whatever their
    masks) or are of one linkage group. Then a field that tells something sensitive, with nobody's name, gets the name
    that the other tells; and a field that one masks is bare in the other.
    """
    for one, other in combinations(sorted(views, key=lambda each: each.feed), 2):
        if one.agreement == other.agreement:
            continue
        same_events = one.inbox == other.inbox
        if not same_events and one.key_group != other.key_group:
            continue
        fields = {view.feed: told(view.view_schema) for view in (one, other)}
        for view, beside in ((one, other), (other, one)):
            yield from _revealed(view, beside, fields[view.feed], fields[beside.feed], same_events=same_events)


def _revealed(
    view: View, beside: View, mine: tuple[Told, ...], theirs: tuple[Told, ...], *, same_events: bool
) -> Iterator[Found]:
    """What `beside` adds to `view`: a name to what is sensitive, or what a mask of `view` had taken away."""
    agreements = tuple(sorted((view.agreement, beside.agreement)))
    event_type = view.event_type if same_events else None
    named = any(each.names_a_person for each in theirs) and not any(each.names_a_person for each in mine)
    sensitive = [each for each in mine if each.category in _SENSITIVE] if named else []
    if sensitive:
        severity = max((_SENSITIVE[each.category] for each in sensitive), key=SEVERITIES.index)
        paths = tuple(each.path for each in sensitive)
        yield Found("linkable", severity, agreements, event_type, {"fields": len(paths)}, paths)
    bare = {each.path for each in theirs if each.mask in ("keep", "parts")}
    undone = tuple(each.path for each in mine if each.mask not in ("keep", "parts") and _bare(each.path, bare))
    if same_events and undone:
        yield Found("unmasked", LOW, agreements, event_type, {"fields": len(undone)}, undone)


def _bare(path: str, bare: set[str]) -> bool:
    return path in bare or any(each.startswith(f"{path}.") for each in bare)


def evidence_of(found: Found) -> list[dict[str, Any]]:
    """Its numbers as they are sent on, in order."""
    return [{"name": name, "value": float(value)} for name, value in sorted(found.evidence.items())]
