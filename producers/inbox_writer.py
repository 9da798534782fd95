"""The native extension's writer of a publisher's events, for what surely passes every check."""

from __future__ import annotations

from tidings import topics
from tidings.catalogue import EventType
from tidings.policy.model import Inbox
from tidings.projection.native import NativeWriter, native_writer
from tidings.projection.program import inbox_program


def inbox_writer(event_type: EventType, environment: str, schema_id: int) -> NativeWriter | None:
    """The writer of the event type's current version, which is what the encoder writes; None where the extension is not
    built, or does not take the event type."""
    inbox = Inbox(
        topic=topics.inbox(event_type.owner, event_type.name),
        agency=event_type.owner,
        event_type=event_type.name,
        partitions=event_type.partitions,
        reader_schema=event_type.schema,
        writer_schemas={"0": event_type.schema},
        checks=event_type.checks,
        deduplication_window_events=event_type.deduplication_window_events,
    )
    return native_writer(inbox_program(inbox, (), environment, 0), schema_id)
