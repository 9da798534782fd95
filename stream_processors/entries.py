"""Decision entries: what a block says of one event."""

from __future__ import annotations

from collections.abc import Sequence

from stream_processors.batch import Judged, Verdict
from tidings.decisions import AgreementOutcome, Entry, Outcome, ViewOutcome, subject_tag
from tidings.errors import Finding, Severity
from tidings.keys import KeyRing


def entry_of(
    event: Judged, agreements: Sequence[AgreementOutcome], epoch: str, keys: KeyRing, *, late: bool = False
) -> Entry:
    """The entry of one event. Findings carry codes and paths; the subject is a tag keyed for `epoch`."""
    findings = (Finding(event.fault.code),) if event.fault is not None else event.findings
    scan = event.scan
    outcome = outcome_of(event, agreements)
    return Entry(
        offset=event.offset,
        outcome=outcome,
        tag_epoch=epoch,
        event_id=event.event_id,
        subject_tag=None if scan is None else subject_tag(keys, epoch, *scan.subject),
        change=None if scan is None else scan.change,
        record_version=None if scan is None else scan.record_version,
        received_at_ms=None if scan is None else scan.received_at_ms,
        flagged=outcome.accepted and any(finding.severity is Severity.FLAG for finding in findings),
        late=late,
        findings=findings,
        agreements=tuple(agreements),
    )


def outcome_of(event: Judged, agreements: Sequence[AgreementOutcome]) -> Outcome:
    """An accepted event is delivered where any view was, else held or withdrawn where any was, else filtered."""
    if event.verdict is not Verdict.ACCEPTED:
        return Outcome[event.verdict.name]
    made = {agreement.outcome for agreement in agreements}
    if ViewOutcome.DELIVERED in made:
        return Outcome.DELIVERED
    if ViewOutcome.HELD in made:
        return Outcome.HELD
    return Outcome.WITHDRAWN if ViewOutcome.WITHDRAWN in made else Outcome.FILTERED
