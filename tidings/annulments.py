"""What may refuse an annulment: only that nobody could tell what it annuls. Publishers and the exchange agree on it.

Source: DESIGN.md, "Events": an annulment needs only its head, and nothing in its body can refuse it, or a living
person stays dead downstream. Of the head, too, only what names the event, its record, its subject and its source can
refuse it; a failed check of anything else (an impossible `occurred_on`, say) becomes a flag.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tidings.errors import Finding, Severity

ANNULLED = "ANNULLED"
NAMING_FIELDS = frozenset({"event_id", "change", "record_id", "source", "subject", "environment"})


def severities(change: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of an event's checks, with the severity that they have for this kind of change."""
    if change != ANNULLED:
        return tuple(findings)
    return tuple(
        finding if finding.path.split(".")[0] in NAMING_FIELDS else replace(finding, severity=Severity.FLAG)
        for finding in findings
    )
