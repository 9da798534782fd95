"""The first stage: which records are events that may go on, and every reason why the others may not."""

from __future__ import annotations

from stream_processors.batch import Batch, Judged, Verdict
from stream_processors.compiled import CompiledInbox
from stream_processors.framing import against, around
from tidings import wire
from tidings.deduplication import Sighting, event_id_of
from tidings.errors import Reject, Severity
from tidings.log import InboxRecord
from tidings.projection import Scan


def validate(batch: Batch, policy: CompiledInbox, now_ms: int) -> list[Judged]:
    """Judge each record of `batch`: a repeat is a duplicate whatever else it is; then framing, decoding and checks.

    A rejected event has all the codes that can be determined. Pure: reads nothing but its arguments. Raises nothing of
    its own; whatever the projector raises beside Reject is a failure of our own code.
    """
    return [
        _judge(record, sighting, policy, now_ms)
        for record, sighting in zip(batch.records, batch.sightings, strict=True)
    ]


def _judge(record: InboxRecord, sighting: Sighting, policy: CompiledInbox, now_ms: int) -> Judged:
    event_id = event_id_of(record.value)
    schema_id = _schema_id(record.value)
    if sighting is Sighting.DUPLICATE:
        return Judged(record.offset, record.timestamp_ms, Verdict.DUPLICATE, event_id, schema_id)
    findings = around(record, policy.inbox, sighting)
    scan: Scan | None = None
    if record.value is not None:
        try:
            scan = policy.projector.scan(wire.schema_id_of(record.value), record.value[wire.HEADER_BYTES :])
        except Reject as refusal:
            findings += refusal.findings
        else:
            findings += against(record, event_id, scan, policy.inbox, policy.policy)
            findings += policy.projector.findings(scan, now_ms)
    ordered = tuple(dict.fromkeys(findings))
    refused = any(finding.severity is Severity.REJECT for finding in ordered)
    verdict = Verdict.REJECTED if refused else Verdict.ACCEPTED
    return Judged(record.offset, record.timestamp_ms, verdict, event_id, schema_id, scan, ordered)


def _schema_id(value: bytes | None) -> int | None:
    try:
        return None if value is None else wire.schema_id_of(value)
    except Reject:
        return None
