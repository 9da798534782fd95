"""What a source connector is: it reads a file that an agency already has and says of every record what became of it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar, Protocol, TypeAlias, runtime_checkable

import orjson

from connectors.sources._values import MESSAGES, may_be_unsafe, unsafe_fields
from tidings.errors import Problem

EVENT_ID_NAMESPACE = uuid.UUID("6d1f3c8e-9a55-5c0a-b1a7-2f1d0a6f7e10")
"""The namespace of every event id that a connector derives. It never changes: an id is the same for ever."""

_NOT_IN_ID = frozenset({"event_id", "received_at"})
_NAMING = frozenset({"change", "record_id", "source", "subject", "protection", "environment", "supersedes", "message"})
"""Fields that name an event, without which an annulment annuls nothing, and the envelope, by which a wrong subject is
known."""


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a connector is told about a file.

    `file` is the name that refusals give. `received_at_ms` is when the agency's side took the file in (milliseconds
    since 1970 UTC): it is part of the event's bytes and no part of its id, so a second run of the same file must be
    told the same time, or the exchange sees a used id with other bytes (`event_id_reused`). `tidings publish` takes
    the file's time of last change, or `--received-at`.
    """

    file: str
    agency: str
    environment: str
    received_at_ms: int


@dataclass(frozen=True, slots=True)
class Cleansing:
    """One value that a declared rule changed on the way in: which field, by which rule; never the value."""

    field: str
    rule: str


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One event made of record `number` (counted from 1), which starts at `line`. The event is not in the repr."""

    number: int
    line: int
    event_type: str
    event: dict[str, Any] = field(repr=False)
    cleansed: tuple[Cleansing, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """Record `number` cannot be an event; with number 0 it is the file, or what is left of it, that is refused."""

    number: int
    problem: Problem


@dataclass(frozen=True, slots=True)
class SetAsideRecord:
    """Record `number` is no event by its nature (a register's `system` entry): counted apart under `kind`."""

    number: int
    line: int
    kind: str


Outcome: TypeAlias = SourceRecord | RefusedRecord | SetAsideRecord


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One line of a connector's field table, for the generated reference: from, to, and what is done on the way."""

    source: str
    target: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class CleansingRule:
    """One declared change of values, which the publisher can see: its name and what it does."""

    name: str
    meaning: str


NOT_IN_ANNULMENT = CleansingRule("not-in-annulment", "a field that cannot be taken is left out of an annulment")
"""What `finish_event` may do to a record: nothing in an annulment's body can refuse it."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A connector's manual as data.

    `time_zone` is the zone of times that carry none. `extensions` and `signatures` (bytes that stand near a file's
    start) let `tidings publish` find the connector. `guarantee` says what holds after a restart. A connector that
    `needs_mapping` is told by a mapping file what its files mean, and may make events of any type.
    """

    name: str
    version: str
    summary: str
    event_types: tuple[str, ...]
    time_zone: str
    extensions: tuple[str, ...]
    signatures: tuple[bytes, ...]
    mapping: tuple[FieldMapping, ...]
    cleansing: tuple[CleansingRule, ...] = ()
    guarantee: str = "The same file read again gives the same events, byte for byte."
    needs_mapping: bool = False


@runtime_checkable
class Source(Protocol):
    """A source connector.

    Who calls: `tidings publish` and tests, once a file. May it block: on the file only. Memory is bounded by one
    record, not by the file. May it raise: nothing on any content; what cannot be taken is a `RefusedRecord` that
    names file, line, field and rule, and never a value. OSError from the file passes through. What holds afterwards:
    every record of the file was said exactly once, as an event, refused or set aside.
    """

    spec: ClassVar[SourceSpec]

    def read(self, file: BinaryIO, context: SourceContext) -> Iterator[Outcome]:
        """Say of every record what it is, in file order."""
        ...


def derive_event_id(system: str, message_id: str, event: dict[str, Any]) -> str:
    """The event's id: a uuid5 of source system, message id and content, because real feeds use message ids again.

    The content is the whole event as canonical JSON without its id and `received_at`. Source: RFC 9562, version 5.
    """
    return _id(system, message_id, _content(event))


def _content(event: dict[str, Any]) -> bytes:
    content = {name: value for name, value in event.items() if name not in _NOT_IN_ID}
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def _id(system: str, message_id: str, content: bytes) -> str:
    return str(uuid.uuid5(EVENT_ID_NAMESPACE, f"{system}\x1f{message_id}\x1f{hashlib.sha256(content).hexdigest()}"))


def finish_event(system: str, message_id: str, event: dict[str, Any]) -> tuple[Cleansing, ...]:
    """Give a whole event its id, once no value of it is one that a terminal or a spreadsheet would obey.

    Raises RecordError at such a value. An annulment loses the field instead, which is returned, unless the value names
    the event: or a living person stays dead downstream. Source: `connectors.sources._values`.
    """
    cleansed: list[Cleansing] = []
    content = _content(event)
    if may_be_unsafe(content):
        cleansed += _make_safe(event)
        content = _content(event)
    event["event_id"] = _id(system, message_id, content)
    return tuple(cleansed)


def _make_safe(event: dict[str, Any]) -> Iterator[Cleansing]:
    for path, rule in list(unsafe_fields(event)):
        top = path.partition(".")[0]
        if event["change"] != "ANNULLED" or top in _NAMING:
            raise RecordError(path, rule, MESSAGES[rule])
        event[top] = [] if isinstance(event[top], list) else None
        yield Cleansing(path, NOT_IN_ANNULMENT.name)


def new_head(context: SourceContext, system: str, ref: str) -> dict[str, Any]:
    """The head of an event with everything null that a file may not say. The caller fills in the rest."""
    return {
        "event_id": "",
        "change": "CREATED",
        "reason": None,
        "record_id": "",
        "record_version": None,
        "supersedes": None,
        "life_event_id": None,
        "recorded_at": None,
        "received_at": context.received_at_ms,
        "occurred_on": None,
        # No file name: the same record in a mended or renamed file is the same event, byte for byte.
        "source": {"agency": context.agency, "system": system, "ref": ref, "batch_id": None},
        "subject": {"scheme": "", "value": ""},
        "identifiers": [],
        "related": [],
        "protection": "NONE",
        "environment": context.environment,
    }


class RecordError(Exception):
    """Inside a connector: this record is refused at `field` by `rule`. `message` holds no value of the record."""

    def __init__(self, field_name: str, rule: str, message: str) -> None:
        self.field, self.rule, self.message = field_name, rule, message
        super().__init__(f"{field_name}: {rule}")
