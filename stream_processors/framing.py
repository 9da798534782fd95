"""Framing is checked, not trusted: what a record says around its event must agree with the event and the inbox."""

from __future__ import annotations

from tidings.deduplication import Sighting
from tidings.errors import Finding, ReasonCode
from tidings.log import InboxRecord
from tidings.partitions import partition_of
from tidings.policy.model import Inbox, Policy
from tidings.projection import Scan


def around(record: InboxRecord, inbox: Inbox, sighting: Sighting) -> list[Finding]:
    """What can be found without reading the event: nulls, the key's partition, a used id, a stopped publisher."""
    findings: list[Finding] = []
    if inbox.stopped:
        findings.append(Finding(ReasonCode.PUBLISHER_STOPPED))
    if record.key is None:
        findings.append(Finding(ReasonCode.NULL_KEY))
    elif partition_of(record.key, inbox.partitions) != record.partition:
        findings.append(Finding(ReasonCode.PARTITION_MISMATCH))
    if record.value is None:
        findings.append(Finding(ReasonCode.NULL_VALUE))
    if sighting is Sighting.REUSED:
        findings.append(Finding(ReasonCode.EVENT_ID_REUSED, "event_id"))
    return findings


def against(record: InboxRecord, event_id: str | None, scan: Scan, inbox: Inbox, policy: Policy) -> list[Finding]:
    """What can be found once the event is read: whose it is, whom it is about, whether it is about people at all.

    `event_id` is what the deduplication window reads of the record (`event_id_of`).
    """
    findings: list[Finding] = []
    if event_id != scan.event_id.lower():
        # The deduplication window did not see this id, so it cannot be let through.
        findings.append(Finding(ReasonCode.EVENT_ID_INVALID, "event_id"))
    if record.key is not None and record.key != ":".join(scan.subject).encode():
        findings.append(Finding(ReasonCode.KEY_MISMATCH, "subject"))
    if scan.source_agency != inbox.agency:
        findings.append(Finding(ReasonCode.SOURCE_MISMATCH, "source.agency"))
    if scan.environment != policy.environment.value:
        findings.append(Finding(ReasonCode.ENVIRONMENT_MISMATCH, "environment"))
    return findings
