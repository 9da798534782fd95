"""The head that every event type starts with, to the letter and in this order.

Version 1 settles it: FULL_TRANSITIVE evolution lets no field of it be taken away or change its type.
Source: DESIGN.md, "Events".
"""

from __future__ import annotations

from typing import Any, Final

NULL: Final = "null"

HEAD: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "event_id",
        "type": {"type": "string", "logicalType": "uuid"},
        "category": "identifier",
        "doc": "Unique for ever, in lower case. A connector derives it (uuid5) from source system, message id and "
        "content, because real feeds use message ids again. A mended event needs a new one.",
    },
    {
        "name": "change",
        "type": "tidings.types.Change",
        "category": "plain",
        "doc": "What this event does to the record named by record_id.",
    },
    {
        "name": "reason",
        "type": [NULL, "string"],
        "default": None,
        "category": "plain",
        "doc": "Why, as a code from the event type's list (formal_correction, typographical, ...).",
    },
    {
        "name": "record_id",
        "type": "string",
        "category": "identifier",
        "doc": "The authority's own id of the fact: a registration, a register entry, a notification.",
    },
    {
        "name": "record_version",
        "type": [NULL, "long"],
        "default": None,
        "category": "plain",
        "doc": "The record's version at the authority, counting up; null where the authority does not count.",
    },
    {
        "name": "supersedes",
        "type": [NULL, {"type": "string", "logicalType": "uuid"}],
        "default": None,
        "category": "identifier",
        "doc": "The event_id that this event corrects, where the source knows it; most know the record_id only.",
    },
    {
        "name": "life_event_id",
        "type": [NULL, {"type": "string", "logicalType": "uuid"}],
        "default": None,
        "category": "identifier",
        "doc": "Joins the events of one happening: the two partners, a birth's children.",
    },
    {
        "name": "recorded_at",
        "type": [NULL, {"type": "long", "logicalType": "timestamp-millis"}],
        "default": None,
        "category": "plain",
        "doc": "When the authority recorded it, in milliseconds since 1970 UTC; null where the file does not say.",
    },
    {
        "name": "received_at",
        "type": {"type": "long", "logicalType": "timestamp-millis"},
        "category": "plain",
        "doc": "When the connector or publisher took it in, in milliseconds since 1970 UTC.",
    },
    {
        "name": "occurred_on",
        "type": [NULL, "tidings.types.PartialDate"],
        "default": None,
        "category": "plain",
        "doc": "When it happened in the world, as precisely as the authority knows.",
    },
    {
        "name": "source",
        "type": "tidings.types.Source",
        "category": "plain",
        "doc": "Where the event comes from. The agency equals the inbox's, or the event is refused (source_mismatch).",
    },
    {
        "name": "subject",
        "type": "tidings.types.SubjectId",
        "category": "identifier",
        "doc": "Whom or what the event is about; scheme:value is the inbox's Kafka key. A correction never changes it: "
        "a wrong person is ANNULLED under the old subject and CREATED under the new one.",
    },
    {
        "name": "identifiers",
        "type": {"type": "array", "items": "tidings.types.Identifier"},
        "default": [],
        "category": "identifier",
        "doc": "The subject's other ids, and how far the authority has verified each.",
    },
    {
        "name": "related",
        "type": {"type": "array", "items": "tidings.types.Related"},
        "default": [],
        "category": "identifier",
        "doc": "Other people that the fact involves, each in a role: a mother, a partner, an informant.",
    },
    {
        "name": "protection",
        "type": "tidings.types.Protection",
        "category": "plain",
        "doc": "Whether the subject is protected. Protected events reach an agreement only where it says so.",
    },
    {
        "name": "environment",
        "type": "tidings.types.Environment",
        "category": "plain",
        "doc": "Whether the event is about a real person. A live exchange refuses synthetic events and vice versa.",
    },
)

HEAD_NAMES: Final = tuple(field["name"] for field in HEAD)
