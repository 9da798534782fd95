"""Decodes what a processor reads: the schema that wrote it by its id, resolved to the one that the processor declares.

Source: Avro 1.12, "Schema Resolution"; the Confluent wire format. Schemas stand in the policy as far as it embeds them
(inboxes and feeds); any other id is asked for at the registry once.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException

from stream_processors.host.declaration import Event, Reads, Schema
from tidings import wire
from tidings.errors import Fatal, Finding, ReasonCode, Reject
from tidings.log import InboxRecord
from tidings.policy.model import Policy

SchemaById = Callable[[int], Schema]
"""The schema of an id. Raises Fatal where there is none that the processor may see, Retriable without an answer."""

# What fastavro raises on bytes that are not what the schema says; its texts can hold values.
_NOT_AVRO = (
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    AttributeError,
    fastavro.read.SchemaResolutionError,
)


def embedded_schemas(policy: Policy) -> dict[int, Schema]:
    """Every writer's schema that the policy holds, by its id."""
    found = {int(number): schema for inbox in policy.inboxes for number, schema in inbox.writer_schemas.items()}
    return found | {view.schema_id: view.view_schema for view in policy.views}


class Decoder:
    """Decodes the topics of `reads`. Not for several threads."""

    def __init__(self, reads: Mapping[str, Reads], embedded: Mapping[int, Schema], ask: SchemaById) -> None:
        self._readers = {topic: _parsed(each.schema) for topic, each in reads.items()}
        self._writers: dict[int, Any] = {number: _parsed(schema) for number, schema in embedded.items()}
        self._written: dict[int, Schema] = dict(embedded)
        self._declared = {topic: each.schema for topic, each in reads.items()}
        self._ask = ask

    def event(self, record: InboxRecord) -> Event:
        """The event of a record. Raises Reject (`null_value`, `wire_format`, `schema_unknown`, `undecodable`),
        Retriable where the registry does not answer, Fatal where the topic is not declared."""
        if record.topic not in self._readers:
            raise Fatal(f"{record.topic} is not declared as read")
        if record.value is None:
            raise Reject([Finding(ReasonCode.NULL_VALUE)])
        number = wire.schema_id_of(record.value)
        writer = self._writer(number)
        body = io.BytesIO(record.value)
        body.seek(wire.HEADER_BYTES)
        try:
            value: Any = fastavro.schemaless_reader(body, writer, self._readers[record.topic])
        except _NOT_AVRO:
            raise Reject([Finding(ReasonCode.UNDECODABLE)]) from None
        if body.read(1) or not isinstance(value, dict):
            raise Reject([Finding(ReasonCode.UNDECODABLE)])
        schema = self._declared[record.topic] or self._written[number]
        return Event(record.topic, record.partition, record.offset, record.timestamp_ms, value, record.key, schema)

    def _writer(self, number: int) -> Any:
        if number not in self._writers:
            try:
                found = self._ask(number)
            except Fatal:
                raise Reject([Finding(ReasonCode.SCHEMA_UNKNOWN)]) from None
            self._written[number] = found
            try:
                self._writers[number] = _parsed(found)
            except SchemaParseException:
                raise Reject([Finding(ReasonCode.SCHEMA_UNKNOWN)]) from None
        return self._writers[number]


def _parsed(schema: Schema | None) -> Any:
    return None if schema is None else fastavro.parse_schema(schema)
