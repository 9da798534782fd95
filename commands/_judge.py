"""What the publisher's own side makes of one outcome of a connector: a line of the journal, and the record to send."""

from __future__ import annotations

from connectors.sources.base import Outcome, RefusedRecord, SetAsideRecord, SourceRecord
from producers.encode import WireEvent
from producers.journal import Fate, JournalRecord
from producers.publisher import EventPublisher
from tidings.errors import Finding, ReasonCode, Reject, Severity
from tidings.kafka.write_once import RECORD_MAX_BYTES


def judge(ordinal: int, outcome: Outcome, publisher: EventPublisher) -> tuple[JournalRecord, WireEvent | None]:
    """The journal's record of an outcome, and what is to be sent where it is an event that no check refuses. Sends
    nothing. Raises as `EventPublisher.check`, but for Reject."""
    if isinstance(outcome, SetAsideRecord):
        return JournalRecord(ordinal, outcome.number, outcome.line, Fate.SET_ASIDE, outcome.kind), None
    if isinstance(outcome, RefusedRecord):
        problem = outcome.problem
        return JournalRecord(ordinal, outcome.number, problem.line, Fate.REFUSED, problem=problem), None
    try:
        findings, wire = _checked(outcome, publisher)
    except Reject as reject:
        findings, wire = reject.findings, None
    fate = Fate.REFUSED if wire is None else Fate.PUBLISHED
    event_id = str(outcome.event.get("event_id") or "")
    cleansed = len(outcome.cleansed)
    record = JournalRecord(
        ordinal, outcome.number, outcome.line, fate, outcome.event_type, event_id, cleansed, tuple(findings)
    )
    return record, wire


def _checked(outcome: SourceRecord, publisher: EventPublisher) -> tuple[tuple[Finding, ...], WireEvent | None]:
    sound = publisher.sound(outcome.event_type, outcome.event)
    if sound is not None:
        return (), sound
    findings = publisher.check(outcome.event_type, outcome.event)
    if any(finding.severity is Severity.REJECT for finding in findings):
        return findings, None
    wire = publisher.encoder(outcome.event_type).encode(outcome.event)
    if len(wire.key or b"") + len(wire.value or b"") > RECORD_MAX_BYTES:
        raise Reject([Finding(ReasonCode.EVENT_TOO_LARGE)])
    return findings, wire
