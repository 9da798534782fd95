"""Quarantine records: where our own code failed on an event. Coordinates and a code; never the value or a message."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from typing import Any

import fastavro

from tidings import wire

QUARANTINE_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "QuarantineRecord",
    "namespace": "tidings.exchange",
    "doc": "One event on which our own code failed, for operators. The event itself stays in its inbox.",
    "fields": [
        {"name": "inbox", "type": "string"},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "code", "type": "string", "doc": "From the closed list of reason codes."},
        {"name": "error", "type": "string", "doc": "The class of the exception; never its text."},
        {"name": "where", "type": "string", "doc": "The module and line of our code that raised it."},
        {"name": "policy_version", "type": "long"},
        {"name": "decided_at_ms", "type": "long", "doc": "Milliseconds since 1970."},
        {"name": "worker", "type": "string"},
        {"name": "late", "type": "boolean", "default": False, "doc": "It failed again, on a replay."},
    ],
}
"""What `tidings apply` registers for `quarantine-value`."""

_SCHEMA = fastavro.parse_schema(QUARANTINE_SCHEMA)


@dataclass(frozen=True, slots=True)
class QuarantineRecord:
    """One event in quarantine."""

    inbox: str
    partition: int
    offset: int
    code: str
    error: str
    where: str
    policy_version: int
    decided_at_ms: int
    worker: str
    late: bool = False


def quarantine_key(record: QuarantineRecord) -> bytes:
    """The event's coordinates."""
    return f"{record.inbox}/{record.partition}/{record.offset}".encode()


def encode_quarantine(record: QuarantineRecord, schema_id: int) -> bytes:
    """A record as it stands in the topic: wire format, then Avro."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _SCHEMA, asdict(record))
    return wire.header(schema_id) + out.getvalue()


def decode_quarantine(value: bytes) -> QuarantineRecord:
    """The record of a value. Raises Reject (`wire_format`) without a frame, ValueError or EOFError where it is none."""
    wire.schema_id_of(value)
    read: Any = fastavro.schemaless_reader(io.BytesIO(value[wire.HEADER_BYTES :]), _SCHEMA, None)
    return QuarantineRecord(**read)
