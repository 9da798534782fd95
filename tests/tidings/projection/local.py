"""A small event type with the head of DESIGN.md, for tests of the projection that need no catalogue."""

from __future__ import annotations

import copy
from datetime import date
from io import BytesIO
from typing import Any

import fastavro

from tidings.keys import KeyRing
from tidings.policy.model import Condition, FieldRule, Inbox, Protection, View
from tidings.projection import InboxProjector, derive_view_schema, reference_projector
from tidings.projection.types import read_types

KEYS = KeyRing(bytes(range(32)))
SCHEMA_ID = 7
POLICY_VERSION = 3
EVENT_ID = "6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"
OTHER_ID = "00000000-0000-4000-8000-000000000001"

_UUID = {"type": "string", "logicalType": "uuid"}
_MILLIS = {"type": "long", "logicalType": "timestamp-millis"}


def _field(name: str, schema: Any, category: str = "plain", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": schema, "doc": f"The {name}", "category": category, **more}


def _optional(name: str, schema: Any, category: str = "plain", **more: Any) -> dict[str, Any]:
    return _field(name, ["null", schema], category, default=None, **more)


def _record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "tidings.types", "fields": list(fields)}


def _enum(name: str, *symbols: str) -> dict[str, Any]:
    return {"type": "enum", "name": name, "namespace": "tidings.types", "symbols": list(symbols)}


PARTIAL_DATE = _record(
    "PartialDate",
    _field("year", "int"),
    _optional("month", "int"),
    _optional("day", "int"),
    *(_optional(name, "string") for name in ("time", "zone", "text", "verification")),
)
NAME = _record(
    "Name",
    _optional("family", "string", "identifier"),
    _field("given", {"type": "array", "items": "string"}, default=[]),
)
_TEXTS = {"type": "array", "items": "string"}
ADDRESS = _record(
    "Address",
    _optional("postcode", "string", "location"),
    _optional("country", "string"),
    _field("lines", _TEXTS, "location", default=[]),
)

_SCHEME_VALUE = (_field("scheme", "string"), _field("value", "string", "identifier"))
HEAD = [
    _field("event_id", _UUID, "identifier"),
    _field("change", _enum("Change", "CREATED", "CHANGED", "CORRECTED", "ANNULLED", "REINSTATED", "ENDED")),
    _optional("reason", "string"),
    _field("record_id", "string", "identifier"),
    _optional("record_version", "long"),
    _optional("supersedes", _UUID, "identifier"),
    _optional("life_event_id", _UUID, "identifier"),
    _optional("recorded_at", _MILLIS),
    _field("received_at", _MILLIS),
    _optional("occurred_on", PARTIAL_DATE),
    _field(
        "source", _record("Source", _field("agency", "string"), _field("system", "string"), _field("ref", "string"))
    ),
    _field(
        "subject",
        _record("SubjectId", _field("scheme", "string"), _field("value", "string", "identifier")),
        "identifier",
    ),
    _field(
        "identifiers",
        {
            "type": "array",
            "items": _record(
                "Identifier",
                _field("scheme", "string"),
                _field("value", "string", "identifier"),
                _optional("verified", "boolean"),
            ),
        },
        "identifier",
        default=[],
    ),
    _field(
        "related",
        {
            "type": "array",
            "items": _record(
                "Related",
                _field("role", "string"),
                _optional("subject", "tidings.types.SubjectId", "identifier"),
                _field("names", {"type": "array", "items": NAME}, "identifier", default=[]),
            ),
        },
        "identifier",
        default=[],
    ),
    _field("protection", _enum("Protection", "NONE", "LOCATION", "FULL")),
    _field("environment", _enum("Environment", "LIVE", "SYNTHETIC")),
]
BODY = [
    _optional(
        "person",
        _record(
            "Person",
            _field("names", {"type": "array", "items": "tidings.types.Name"}, "identifier", default=[]),
            _optional("born", "tidings.types.PartialDate"),
            _optional("residence", ADDRESS, "plain"),
            _field("moves", {"type": "array", "items": "tidings.types.Address"}, default=[]),
        ),
        "identifier",
    ),
    _optional("weight", "int", "special"),
    _optional("note", "string"),
    _optional("postcode", "string", "location"),
    _optional("stillbirth", "boolean"),
]


def partial_date(year: int, month: int | None = None, day: int | None = None) -> dict[str, Any]:
    """A PartialDate of what is given."""
    rest = dict.fromkeys(("time", "zone", "text", "verification"))
    return {"year": year, "month": month, "day": day, **rest}


def schema_of(*body: dict[str, Any]) -> dict[str, Any]:
    """A standalone event schema: the head, then `body` (this file's own where none is given)."""
    fields = copy.deepcopy([*HEAD, *(body or BODY)])
    return {"type": "record", "name": "ThingHappened", "namespace": "tidings.events", "fields": fields}


def event(**changes: Any) -> dict[str, Any]:
    """One whole event of `schema_of()`, with `changes`."""
    made: dict[str, Any] = {
        "event_id": EVENT_ID,
        "change": "CREATED",
        "reason": "typographical",
        "record_id": "R/17",
        "record_version": 2,
        "supersedes": None,
        "life_event_id": OTHER_ID,
        "recorded_at": 1_780_000_000_000,
        "received_at": 1_780_000_100_000,
        "occurred_on": {
            "year": 2026,
            "month": 5,
            "day": 4,
            "time": None,
            "zone": None,
            "text": None,
            "verification": None,
        },
        "source": {"agency": "gro", "system": "rop", "ref": "file:1"},
        "subject": {"scheme": "nhs_number", "value": "999 000 0018"},
        "identifiers": [{"scheme": "gro_registration", "value": "ab 12", "verified": True}],
        "related": [
            {"role": "mother", "subject": None, "names": [{"family": "Amberley", "given": ["Zoë"]}]},
            {"role": "father", "subject": {"scheme": "x", "value": "y9"}, "names": []},
        ],
        "protection": "NONE",
        "environment": "SYNTHETIC",
        "person": {
            "names": [{"family": "Quillfeather", "given": ["Ada", "May"]}],
            "born": {
                "year": 1974,
                "month": 2,
                "day": None,
                "time": None,
                "zone": None,
                "text": None,
                "verification": None,
            },
            "residence": {"postcode": "SW1A 2AA", "country": "GB", "lines": ["1 Hidden Lane"]},
            "moves": [{"postcode": "M1 1AE", "country": "GB", "lines": ["2 Secret Road"]}],
        },
        "weight": 71,
        "note": "remark",
        "postcode": "EH1 1AA",
        "stillbirth": None,
    }
    return made | changes


def encode(schema: dict[str, Any], record: dict[str, Any]) -> bytes:
    """The Avro body of a record, logical types left out."""
    table = read_types(schema)
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(table.standalone(table.root, logical=False)), record)
    return out.getvalue()


def inbox(schema: dict[str, Any], writers: dict[str, Any] | None = None) -> Inbox:
    """The inbox of `gro` for this event type."""
    return Inbox(
        topic="inbox.gro.thing-happened",
        agency="gro",
        event_type="thing-happened",
        partitions=1,
        reader_schema=schema,
        writer_schemas=writers or {str(SCHEMA_ID): schema},
        checks=(),
        deduplication_window_events=10,
    )


def view(
    schema: dict[str, Any],
    rules: dict[str, str | tuple[str, dict[str, Any]]],
    *,
    agreement: str = "benefits",
    where: tuple[Condition, ...] = (),
    protected: Protection = Protection.NONE,
    **more: Any,
) -> View:
    """A view by `rules` (path → mask, or mask and parameters)."""
    fields = tuple(
        FieldRule(path=path, mask=rule) if isinstance(rule, str) else FieldRule(path=path, mask=rule[0], params=rule[1])
        for path, rule in rules.items()
    )
    flags = bool(more.get("include_flags", False))
    made = derive_view_schema(
        schema, fields, subscriber="dwp", agreement=agreement, agreement_version=3, include_flags=flags
    )
    settings: dict[str, Any] = {
        "agreement": agreement,
        "agreement_version": 3,
        "subscriber": "dwp",
        "inbox": "inbox.gro.thing-happened",
        "event_type": "thing-happened",
        "feed": f"feed.dwp.{agreement}.v3.thing-happened",
        "schema_id": 11,
        "view_schema": made,
        "fields": fields,
        "where": where,
        "key_group": agreement,
        "protected": protected,
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2030, 1, 1),
        "after_end": "nothing",
    }
    return View(**(settings | more))


def projector(schema: dict[str, Any], *views: View, keys: KeyRing = KEYS) -> InboxProjector:
    """The reference projector of `schema`'s inbox."""
    return reference_projector(inbox(schema), views, keys, POLICY_VERSION)
