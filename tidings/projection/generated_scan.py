"""One event as the generated scan leaves it: its bytes, and where in them what matters stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tidings.errors import Finding, ReasonCode
from tidings.projection.contract import Scan
from tidings.projection.generate_runtime import ENCODED_UUID_BYTES, UUID_AT, long_at, text_at

_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class Head:
    """The numbers of the places where the head's fields begin (or end), and the symbols of its enums."""

    event_id: int
    change: int
    record_version: int
    record_version_end: int
    supersedes: int
    life_event_id: int
    recorded_at: int
    received_at: int
    received_at_end: int
    source_agency: int
    subject_scheme: int
    subject_value: int
    protection: int
    environment: int
    changes: tuple[str, ...]
    protections: tuple[str, ...]
    environments: tuple[str, ...]


class GeneratedScan:
    """See `contract.Scan`. `body` is in the current version, `given` as it was published under `schema_id`. `made`
    keeps what several views need; `common` is false where the bytes are in a form that the views' own code does not
    expect. Its repr holds nothing of the event."""

    __slots__ = ("body", "common", "decoded", "given", "head", "made", "places", "schema_id")

    def __init__(
        self, body: bytes, places: tuple[Any, ...], made: list[Any], head: Head, schema_id: int, common: bool
    ) -> None:
        self.body, self.places, self.made, self.head = body, places, made, head
        self.schema_id, self.given, self.common = schema_id, body, common
        self.decoded: Scan | None = None

    @property
    def event_id(self) -> str:
        """See `Scan.event_id`."""
        at: int = self.places[self.head.event_id]
        return self.body[at + 1 : at + 1 + ENCODED_UUID_BYTES].decode()

    @property
    def change(self) -> str:
        """See `Scan.change`."""
        at: int = self.places[self.head.change]
        return self.head.changes[self.body[at] >> 1]

    @property
    def record_version(self) -> int | None:
        """See `Scan.record_version`."""
        at = self.places[self.head.record_version]
        return long_at(self.body, at + 1) if self.body[at] else None

    @property
    def received_at_ms(self) -> int:
        """See `Scan.received_at_ms`."""
        return long_at(self.body, self.places[self.head.received_at])

    @property
    def subject(self) -> tuple[str, str]:
        """See `Scan.subject`."""
        scheme = text_at(self.body, self.places[self.head.subject_scheme])
        return scheme.decode(), text_at(self.body, self.places[self.head.subject_value]).decode()

    @property
    def protection(self) -> str:
        """See `Scan.protection`."""
        at: int = self.places[self.head.protection]
        return self.head.protections[self.body[at] >> 1]

    @property
    def environment(self) -> str:
        """See `Scan.environment`."""
        at: int = self.places[self.head.environment]
        return self.head.environments[self.body[at] >> 1]

    @property
    def source_agency(self) -> str:
        """See `Scan.source_agency`."""
        return text_at(self.body, self.places[self.head.source_agency]).decode()

    def __repr__(self) -> str:
        return f"GeneratedScan(schema_id={self.schema_id})"


def refusals(body: bytes, places: Sequence[Any], head: Head) -> list[Finding]:
    """What is wrong with the ids and times of the head of a sound event, as the reference says it."""
    ids = (("event_id", head.event_id, 0), ("supersedes", head.supersedes, 1), ("life_event_id", head.life_event_id, 1))
    wrong = [
        Finding(ReasonCode.EVENT_ID_INVALID, name)
        for name, number, index in ids
        if not (index and not body[places[number]]) and not _is_uuid(body, places[number] + index)
    ]
    times = (("recorded_at", head.recorded_at, 1), ("received_at", head.received_at, 0))
    return wrong + [
        Finding(ReasonCode.UNDECODABLE, name)
        for name, number, index in times
        if not (index and not body[places[number]])
        and not _FIRST_MS <= long_at(body, places[number] + index) <= _LAST_MS
    ]


def _is_uuid(body: bytes, at: int) -> bool:
    return body[at] == 2 * ENCODED_UUID_BYTES and UUID_AT(body, at + 1) is not None
