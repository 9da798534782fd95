"""The catalogue as data: the event types and what is settled for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidings.policy.model import CheckRule, Condition


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type. `name` is its id (`death-registered`), `record_name` the Avro record (`DeathRegistered`).

    `owner` is the only agency that may publish it. `schema` is the current version with every named type written in
    place at its first use: valid Avro by itself, without the property `catalogue`. `versions` are all versions, oldest
    first, the last being `schema`. `default_where` holds for every agreement that names none of its paths itself.
    """

    name: str
    record_name: str
    owner: str
    contact: str
    retention_days: int
    partitions: int
    deduplication_window_events: int
    checks: tuple[CheckRule, ...]
    default_where: tuple[Condition, ...]
    schema: dict[str, Any]
    versions: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All event types by name, in alphabetical order."""

    event_types: dict[str, EventType]
