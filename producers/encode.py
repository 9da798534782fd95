"""An event as it goes on the wire: topic, key and framed Avro. Never says a value, not even of one that does not
fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from producers._generate_writer import generate_writer
from producers._writer import Misfit, Write
from tidings import topics, wire
from tidings.catalogue import plain_schema
from tidings.errors import Finding, ReasonCode, Reject


@dataclass(frozen=True, slots=True)
class WireEvent:
    """One record of an inbox. Neither key nor value is in its repr."""

    topic: str
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)


class Encoder:
    """Writes events of one event type for one inbox by one schema version."""

    def __init__(self, agency: str, event_type: str, schema_id: int, schema: dict[str, Any]) -> None:
        self.topic = topics.inbox(agency, event_type)
        self.schema_id = schema_id
        self._header = wire.header(schema_id)
        self._schema = schema

    @cached_property
    def _write(self) -> Write:
        return generate_writer(plain_schema(self._schema))  # what the native extension writes needs none

    def encode(self, event: Mapping[str, Any]) -> WireEvent:
        """The record of an event. Raises Reject (`undecodable`, at a path) where the event does not fit its schema: a
        wrong type, an unknown field, a missing one that has no default."""
        out = bytearray(self._header)
        try:
            self._write(out, event)
            key = key_of(event)
        except Misfit as misfit:
            raise Reject([Finding(ReasonCode.UNDECODABLE, misfit.path)]) from None
        except (LookupError, TypeError, UnicodeEncodeError):
            raise Reject([Finding(ReasonCode.UNDECODABLE, "subject")]) from None
        return WireEvent(self.topic, key, bytes(out))

    def frame(self, key: bytes | None, value: bytes | None, placeholder: bytes) -> WireEvent:
        """The record of a value that is encoded already: where `placeholder` stands before it, the frame of this schema
        comes in its place."""
        if value is not None and value.startswith(placeholder):
            value = self._header + value[len(placeholder) :]
        return WireEvent(self.topic, key, value)


def key_of(event: Mapping[str, Any]) -> bytes:
    """The inbox's Kafka key: `scheme:value` of the subject, UTF-8."""
    subject = event["subject"]
    return f"{subject['scheme']}:{subject['value']}".encode()
