"""The schema of one feed, derived from the event type and the agreement; never written by hand."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.agreements.model import Agreement
from tidings.catalogue import EventType
from tidings.policy.model import FieldRule, JsonObject
from tidings.projection import derive_view_schema


def view_schema(agreement: Agreement, event_type: EventType, fields: Sequence[FieldRule]) -> JsonObject:
    """The Avro schema of the feed. Raises RuleError where the loader's rules were not asked before."""
    return derive_view_schema(
        event_type.schema,
        fields,
        subscriber=agreement.subscriber,
        agreement=agreement.agreement,
        agreement_version=agreement.version,
        include_flags=agreement.flags == "include",
    )
