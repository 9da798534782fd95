"""Notices: what a publisher hears of its events on `notices.<publisher>`. Coordinates and reasons, never a value."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import fastavro

from tidings import wire
from tidings.errors import Finding, ReasonCode, Severity


class NoticeOutcome(StrEnum):
    """Why the publisher is told: the event was refused; it went on with a note; it was sent before, to the byte, and
    goes nowhere again; our own code failed on it, and an operator will see to it; it was accepted, but only then. Of an
    event that is accepted at once and without a note nothing is told."""

    REJECTED = "REJECTED"
    FLAGGED = "FLAGGED"
    DUPLICATE = "DUPLICATE"
    QUARANTINED = "QUARANTINED"
    ACCEPTED = "ACCEPTED"


NOTICE_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Notice",
    "namespace": "tidings.exchange",
    "doc": "What became of one event, where there is something to say. A mended event needs a new event_id.",
    "fields": [
        {
            "name": "outcome",
            "type": {"type": "enum", "name": "NoticeOutcome", "symbols": [each.value for each in NoticeOutcome]},
        },
        {"name": "inbox", "type": "string"},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "event_id", "type": ["null", "string"], "default": None, "doc": "Null where the record holds none."},
        {"name": "schema_id", "type": ["null", "long"], "default": None, "doc": "Null where the record holds none."},
        {
            "name": "findings",
            "doc": "Every reason that could be determined.",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "NoticeFinding",
                    "fields": [
                        {"name": "code", "type": "string", "doc": "From the closed list of reason codes."},
                        {"name": "path", "type": "string", "doc": "The field, dotted; empty for the whole event."},
                        {
                            "name": "severity",
                            "type": {"type": "enum", "name": "NoticeSeverity", "symbols": ["reject", "flag"]},
                        },
                    ],
                },
            },
        },
        {"name": "policy_version", "type": "long"},
        {"name": "decided_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "late", "type": "boolean", "default": False, "doc": "Decided again, out of quarantine."},
    ],
}
"""What `tidings apply` registers for `notices.<publisher>-value`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. `decided_at_ms` is the batch's clock reading."""

    outcome: NoticeOutcome
    inbox: str
    partition: int
    offset: int
    event_id: str | None
    schema_id: int | None
    findings: tuple[Finding, ...]
    policy_version: int
    decided_at_ms: int
    late: bool = False


def _plain(schema: dict[str, Any]) -> Any:
    fields = [
        {**field, "type": "long"} if isinstance(field["type"], dict) and "logicalType" in field["type"] else field
        for field in schema["fields"]
    ]
    return fastavro.parse_schema({**schema, "fields": fields})


_SCHEMA = _plain(NOTICE_SCHEMA)


def notice_key(notice: Notice) -> bytes:
    """The event id, or the record's coordinates where it has none."""
    return (notice.event_id or f"{notice.inbox}/{notice.partition}/{notice.offset}").encode()


def encode_notice(notice: Notice, schema_id: int) -> bytes:
    """A notice as it stands in the topic: wire format, then Avro."""
    out = io.BytesIO()
    record = {
        "outcome": notice.outcome.value,
        "inbox": notice.inbox,
        "partition": notice.partition,
        "offset": notice.offset,
        "event_id": notice.event_id,
        "schema_id": notice.schema_id,
        "findings": [{"code": f.code.value, "path": f.path, "severity": f.severity.value} for f in notice.findings],
        "policy_version": notice.policy_version,
        "decided_at": notice.decided_at_ms,
        "late": notice.late,
    }
    fastavro.schemaless_writer(out, _SCHEMA, record)
    return wire.header(schema_id) + out.getvalue()


def decode_notice(value: bytes) -> Notice:
    """The notice of a record's value. Raises Reject (`wire_format`) without a frame, ValueError where it is none."""
    wire.schema_id_of(value)
    read: Any = fastavro.schemaless_reader(io.BytesIO(value[wire.HEADER_BYTES :]), _SCHEMA, None)
    return Notice(
        outcome=NoticeOutcome(read["outcome"]),
        inbox=read["inbox"],
        partition=read["partition"],
        offset=read["offset"],
        event_id=read["event_id"],
        schema_id=read["schema_id"],
        findings=tuple(Finding(ReasonCode(f["code"]), f["path"], Severity(f["severity"])) for f in read["findings"]),
        policy_version=read["policy_version"],
        decided_at_ms=read["decided_at"],
        late=read["late"],
    )
