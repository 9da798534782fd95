"""The head of every view: which fields, in which order, and what becomes of each where the agreement says nothing.

Source: DESIGN.md, "View head" and "Agreements"; the order is part of the format.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EVENT_ID, LIFE_EVENT_ID, RECORD_ID, KEEP, ABSENT = "event-id", "life-event-id", "record-id", "keep", "absent"

HEAD_DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "event_id": EVENT_ID,
        "change": KEEP,
        "reason": ABSENT,
        "record_id": RECORD_ID,
        "record_version": KEEP,
        "supersedes": EVENT_ID,
        "life_event_id": LIFE_EVENT_ID,
        "recorded_at": KEEP,
        "occurred_on": ABSENT,
    }
)
"""The event's head fields that stand in every view, in order. `pseudonym` of an id field is its derived id."""

DERIVED_DOCS: Mapping[str, str] = MappingProxyType(
    {
        EVENT_ID: "Derived: an id of this feed's own, which finds the same event inside this feed only.",
        LIFE_EVENT_ID: "Derived: joins the views of one happening inside this feed only.",
        RECORD_ID: "Derived: the same record has the same text inside this feed only; withdrawals name it.",
        ABSENT: "Always null: the agreement does not name it.",
    }
)

EXCHANGE_FIELDS = ("sequence", "kind", "policy_version", "flags")
"""The view's head fields that the exchange itself writes: no field of an event may stand beside them in their name."""

VIEW_KINDS = ("LIVE", "BACKFILL", "WITHDRAWN")
EVENT_HEAD = (
    *HEAD_DEFAULTS,
    "received_at",
    "source",
    "subject",
    "identifiers",
    "related",
    "protection",
    "environment",
)
"""What an event's schema must have for the exchange to read it."""
