"""Says of rows of the outbox which go on their way, as what records, and which are refused, for every reason.

A row is refused for what it holds, never for where it stands: it keeps none behind it waiting. The native extension
writes the rows that are surely sound, a batch at a time; every other row is judged here, with what is said of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from producers.encode import Encoder
from producers.inbox_writer import inbox_writer
from producers.outbox.rows import Rows
from producers.publisher import EventPublisher
from tidings.catalogue import Catalogue
from tidings.clock import Clock
from tidings.errors import Finding, ReasonCode, Reject, Severity
from tidings.kafka.schema_ids import NoInbox
from tidings.kafka.write_once import RECORD_MAX_BYTES, Record
from tidings.policy.model import Environment
from tidings.projection.native import NativeWriter

UNKNOWN = "unknown"
"""What a row's event type is called in metrics where the catalogue does not have it."""


@dataclass(slots=True)
class Judged:
    """What became of a batch of rows: `rows` are the ids behind `records`, one each; reasons and flags are codes with
    paths, parted by spaces."""

    rows: list[int] = field(default_factory=list)
    records: list[Record] = field(default_factory=list, repr=False)
    refused: list[tuple[int, str]] = field(default_factory=list)
    flagged: list[tuple[int, str]] = field(default_factory=list)
    sent_by_type: Counter[str] = field(default_factory=Counter)
    refused_by_type: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Kind:
    """An event type that this agency may publish, and what writes its events; `native` only those that are sound."""

    encoder: Encoder
    native: NativeWriter | None


class Judge:
    """Judges rows for one agency. For one thread."""

    def __init__(
        self, publisher: EventPublisher, catalogue: Catalogue, agency: str, environment: Environment, clock: Clock
    ) -> None:
        self._publisher = publisher
        self._types = catalogue.event_types
        self._agency = agency
        self._environment = environment.value
        self._clock = clock
        self._kinds: dict[str, _Kind | Finding] = {}

    def judge(self, rows: Rows) -> Judged:
        """What becomes of each row. Raises Retriable or Fatal where the registry does not say an event type's schema
        id; nothing that depends on a row's content."""
        judged = Judged()
        # What had no inbox a batch ago may have one now.
        self._kinds = {name: kind for name, kind in self._kinds.items() if isinstance(kind, _Kind)}
        sound = self._sound(rows)
        judged.records = [each for each in sound if each is not None]
        if len(judged.records) == len(sound):
            judged.rows += rows.row_ids
            judged.sent_by_type.update(rows.event_types)
            return judged
        judged.records = []
        for row_id, name, text, written in zip(*rows, sound, strict=True):
            try:
                record, flags = (written, ()) if written is not None else self._one(name, text)
            except Reject as refusal:
                self._refuse(judged, row_id, name, refusal)
                continue
            judged.rows.append(row_id)
            judged.records.append(record)
            judged.sent_by_type[name] += 1
            if flags:
                judged.flagged.append((row_id, " ".join(map(str, flags))))
        return judged

    def _sound(self, rows: Rows) -> list[Record | None]:
        """The records of those rows in which nothing will be found, as far as that is known at once."""
        now_ms = self._clock.now_ms()
        names = dict.fromkeys(rows.event_types)
        if len(names) == 1:
            return self._written(next(iter(names)), rows.events, now_ms)
        made: list[Record | None] = [None] * len(rows.events)
        for name in names:
            places = [at for at, each in enumerate(rows.event_types) if each == name]
            for at, each in zip(places, self._written(name, [rows.events[at] for at in places], now_ms), strict=True):
                made[at] = each
        return made

    def _written(self, name: str, events: Sequence[bytes | None], now_ms: int) -> list[Record | None]:
        """The same of events of one type."""
        kind = self._kinds.get(name) or self._kind(name)
        if isinstance(kind, Finding) or kind.native is None:
            return [None] * len(events)
        topic = kind.encoder.topic
        written = kind.native.write(events, now_ms, RECORD_MAX_BYTES)
        return [None if each is None else Record(topic, *each) for each in written]

    def _one(self, name: str, text: bytes | None) -> tuple[Record, tuple[Finding, ...]]:
        """The record of one row and its flags. Raises Reject with every finding."""
        kind = self._kinds.get(name) or self._kind(name)
        if isinstance(kind, Finding):
            raise Reject([kind])
        if text is None:
            raise Reject([Finding(ReasonCode.EVENT_TOO_LARGE)])
        try:
            event = orjson.loads(text)
        except orjson.JSONDecodeError:
            event = None
        if not isinstance(event, dict):
            raise Reject([Finding(ReasonCode.UNDECODABLE)])
        wire = kind.encoder.encode(event)
        record = Record(wire.topic, wire.key, wire.value)
        # What was written fits its schema: only such an event can be checked.
        flags = self._publisher.check(name, event)
        if any(each.severity is Severity.REJECT for each in flags):
            raise Reject(flags)
        if len(record.key or b"") + len(record.value or b"") > RECORD_MAX_BYTES:
            raise Reject([Finding(ReasonCode.EVENT_TOO_LARGE)])
        return record, flags

    def _kind(self, name: str) -> _Kind | Finding:
        found = self._types.get(name)
        made: _Kind | Finding
        if found is None:
            return Finding(ReasonCode.SCHEMA_UNKNOWN, "event_type")
        if found.owner != self._agency:
            return Finding(ReasonCode.SOURCE_MISMATCH, "event_type")
        try:
            encoder = self._publisher.encoder(name)
            made = _Kind(encoder, inbox_writer(found, self._environment, encoder.schema_id))
        except NoInbox:
            made = Finding(ReasonCode.SCHEMA_UNKNOWN, "event_type")
        self._kinds[name] = made
        return made

    def _refuse(self, judged: Judged, row_id: int, event_type: str, refusal: Reject) -> None:
        judged.refused.append((row_id, " ".join(map(str, refusal.findings))))
        name = event_type if event_type in self._types else UNKNOWN
        judged.refused_by_type[name] += 1
        for finding in refusal.findings:
            if finding.severity is Severity.REJECT:
                judged.reasons[name, finding.code.value] += 1
