"""Small policies, inboxes and views, each field as plain as it may be."""

from __future__ import annotations

from datetime import date
from typing import Any

from tidings import topics
from tidings.policy.codec import sealed
from tidings.policy.model import Environment, Inbox, Policy, Protection, View

TODAY = date(2026, 6, 1)


def inbox(agency: str = "gro", event_type: str = "death-registered", **changes: Any) -> Inbox:
    """An inbox of two partitions."""
    plain: dict[str, Any] = {
        "topic": topics.inbox(agency, event_type),
        "agency": agency,
        "event_type": event_type,
        "partitions": 2,
        "reader_schema": {"type": "record", "name": "D", "fields": []},
        "writer_schemas": {"1": {"type": "record", "name": "D", "fields": []}},
        "checks": (),
        "deduplication_window_events": 10,
    }
    return Inbox(**(plain | changes))


def view(subscriber: str = "dwp", agreement: str = "benefits", **changes: Any) -> View:
    """A view of 2026, of the inbox above."""
    version = changes.get("agreement_version", 1)
    plain: dict[str, Any] = {
        "agreement": agreement,
        "agreement_version": version,
        "subscriber": subscriber,
        "inbox": "inbox.gro.death-registered",
        "event_type": "death-registered",
        "feed": topics.feed(subscriber, agreement, version, "death-registered"),
        "schema_id": 2,
        "view_schema": {"type": "record", "name": "V1", "fields": []},
        "fields": (),
        "where": (),
        "key_group": agreement,
        "protected": Protection.NONE,
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2026, 12, 31),
        "after_end": "nothing",
    }
    return View(**(plain | changes))


def policy(*parts: Inbox | View, version: int = 1, stops: tuple[str, ...] = ()) -> Policy:
    """The sealed policy of these inboxes and views."""
    return sealed(
        Policy(
            version=version,
            environment=Environment.SYNTHETIC,
            created_at_ms=0,
            inboxes=tuple(each for each in parts if isinstance(each, Inbox)),
            views=tuple(each for each in parts if isinstance(each, View)),
            stops=stops,
        )
    )
