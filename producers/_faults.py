"""The kinds of bad record that the simulator makes, each with the one reason that the exchange must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from producers import _people as people
from producers.encode import WireEvent

Event = dict[str, Any]


def _checksum(event: Event) -> None:
    event["subject"] = {"scheme": "nhs_number", "value": "9990000019"}  # its check digit would be 8


def _no_such_day(event: Event) -> None:
    event["occurred_on"] = people.date(2023, 2, 30)


def _future(event: Event) -> None:
    event["occurred_on"] = people.date(2999, 1, None)
    event["recorded_at"] = None


def _order(event: Event) -> None:
    event["deceased"]["date_of_birth"] = people.date(event["occurred_on"]["year"], 12, 31)
    event["occurred_on"] = people.date(event["occurred_on"]["year"] - 1, 1, 1)


def _missing(event: Event) -> None:
    event["deceased"] = None


def _live(event: Event) -> None:
    event["environment"] = "LIVE"


def _other_source(event: Event) -> None:
    event["source"] = event["source"] | {"agency": "somebody-else"}


def _bad_id(event: Event) -> None:
    event["event_id"] = "not-a-uuid"


def _nothing(event: Event) -> None:
    del event


def _same(record: WireEvent) -> WireEvent:
    return record


def _other_key(record: WireEvent) -> WireEvent:
    return WireEvent(record.topic, (record.key or b"") + b"0", record.value)


def _no_key(record: WireEvent) -> WireEvent:
    return WireEvent(record.topic, None, record.value)


def _no_value(record: WireEvent) -> WireEvent:
    return WireEvent(record.topic, record.key, None)


def _no_frame(record: WireEvent) -> WireEvent:
    return WireEvent(record.topic, record.key, b"\x01" + (record.value or b"")[1:])


def _other_schema(record: WireEvent) -> WireEvent:
    return WireEvent(record.topic, record.key, b"\x00\xff\xff\xff\xfe" + (record.value or b"")[5:])


def _cut(record: WireEvent) -> WireEvent:
    value = record.value or b""
    return WireEvent(record.topic, record.key, value[: len(value) // 2])


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of bad record. `spoil` changes the event before it is encoded, `mangle` the record afterwards."""

    name: str
    expects: tuple[str, ...]
    spoil: Callable[[Event], None] = _nothing
    mangle: Callable[[WireEvent], WireEvent] = _same


FAULTS: tuple[Fault, ...] = (
    Fault("checksum", ("checksum_invalid:subject",), spoil=_checksum),
    Fault("no-such-day", ("date_impossible:occurred_on",), spoil=_no_such_day),
    Fault("future", ("date_in_future:occurred_on",), spoil=_future),
    Fault("order", ("date_order:occurred_on",), spoil=_order),
    Fault("missing", ("required_missing:deceased",), spoil=_missing),
    Fault("environment", ("environment_mismatch",), spoil=_live),
    Fault("source", ("source_mismatch",), spoil=_other_source),
    Fault("event-id", ("event_id_invalid",), spoil=_bad_id),
    Fault("other-key", ("key_mismatch",), mangle=_other_key),
    Fault("no-key", ("null_key",), mangle=_no_key),
    Fault("no-value", ("null_value",), mangle=_no_value),
    Fault("no-frame", ("wire_format",), mangle=_no_frame),
    Fault("other-schema", ("schema_unknown",), mangle=_other_schema),
    Fault("cut-off", ("undecodable",), mangle=_cut),
)
SPOILED_TYPE = "death-registered"
"""Bad records are made from deaths, which have every field that a fault needs."""
