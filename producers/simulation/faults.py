"""The kinds of bad record that the simulator makes, each with what the exchange must say of it.

A bad record is a sound one, spoiled: it is sent first, under an id of its own, and the sound one follows, as where a
publisher mends what was refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

from producers.simulation.fields import Draft, Field, number
from producers.simulation.splice import NULL, SOME
from tidings.wire import zigzag

Spoil: TypeAlias = Callable[[Draft, str], bool]
Raw: TypeAlias = tuple[bytes | None, bytes | None]
"""A record's key and value, the value framed."""

_AROUND = frozenset({"environment_mismatch", "source_mismatch", "event_id_invalid"})
_NO_DATE = {"time": None, "zone": None, "text": None, "verification": None}


def _date(year: int, month: int, day: int) -> dict[str, Any]:
    return {"year": year, "month": month, "day": day} | _NO_DATE


def _same(raw: Raw) -> Raw:
    return raw


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of bad record. `paths` gives, by event type, the field that is found bad; an event type that is not
    there cannot have the fault. `spoil` changes the event at that path, and says whether it could; `mangle` changes the
    record afterwards."""

    name: str
    code: str
    paths: Mapping[str, str] = field(default_factory=dict)
    spoil: Spoil | None = None
    mangle: Callable[[Raw], Raw] = _same
    flags: bool = False

    def expects(self, event_type: str) -> tuple[str, ...]:
        """The one reason, with its path where the exchange says one: around the event it does not."""
        path = "" if self.code in _AROUND else self.paths.get(event_type, "")
        return (f"{self.code}:{path}" if path else self.code,)


def _set(value: Any) -> Spoil:
    """A fault that puts a value in the place of another one."""

    @cache
    def written(field: Field) -> bytes:
        return field.written(value)

    def spoil(event: Draft, path: str) -> bool:
        if event.value(path) is None:
            return False
        event.put(path, written(event.field(path)))
        return True

    return spoil


def _in_future(event: Draft, path: str) -> bool:
    event.put("recorded_at", NULL)
    return _set_far_future(event, path)


def _recorded_too_soon(event: Draft, path: str) -> bool:
    recorded = event.value(path)
    if recorded is None:
        return False
    event.put(path, SOME + zigzag(number(recorded)[0] - 1000 * 86_400_000))
    return True


def _routed_to_another(event: Draft, path: str) -> bool:
    del path
    is_nhs = (event.value("subject.scheme") or b"")[1:] == b"nhs_number"
    field = event.field("message")
    event.put("message", _routed(field, is_nhs))
    return event.value("message.routed_to.subject") != event.value("subject")


@cache
def _routed(field: Field, is_nhs: bool) -> bytes:
    another = ("nhs_number", "9990000042") if is_nhs else ("simulated_person", "S0000000000")
    subject = dict(zip(("scheme", "value"), another, strict=True))
    return field.written({"routed_to": {"role": "subject", "subject": subject}})


_set_far_future = _set(_date(2999, 1, 1))
_PEOPLE = (
    "address-changed", "birth-notified", "birth-registered", "death-notified", "death-registered",
    "gp-registration-changed", "identity-changed", "name-changed", "partnership-ended", "partnership-registered",
    "protection-changed", "record-changed",
)  # fmt: skip
_ALL = (*_PEOPLE, "country", "local-authority")
# The others have a second date, or are only flagged.
_DATED = tuple(each for each in _PEOPLE if each not in ("protection-changed", "birth-notified", "birth-registered"))
_PAIRS = ("partnership-ended", "partnership-registered")
_ROUTED = ("address-changed", "death-notified", "gp-registration-changed", "record-changed")
_HOMES = {"address-changed": "new_address", "death-registered": "usual_residence"}
_DATES = {"country": "start_date", "local-authority": "start_date"}
_NEEDED = {
    "address-changed": "new_address", "birth-notified": "child", "birth-registered": "child",
    "death-notified": "person", "death-registered": "deceased", "gp-registration-changed": "new_practice",
    "identity-changed": "identity_change", "name-changed": "new_name", "partnership-ended": "person",
    "partnership-registered": "person", "protection-changed": "level", "record-changed": "record_kind",
    "country": "name", "local-authority": "name",
}  # fmt: skip


def _at(path: str, event_types: tuple[str, ...]) -> dict[str, str]:
    return dict.fromkeys(event_types, path)


def _ends(path: str, homes: Mapping[str, str]) -> dict[str, str]:
    return {event_type: f"{home}.{path}" for event_type, home in homes.items()}


def _cut(raw: Raw) -> Raw:
    value = raw[1] or b""
    return raw[0], value[: len(value) // 2]


_UNKNOWN_SCHEMA = b"\x00\xff\xff\xff\xfe"
_COUNTRIES = _ends("country", _HOMES | {"birth-registered": "place_of_birth", "partnership-registered": "place"})
_RECORDED = _at("recorded_at", ("birth-notified", "death-notified", "death-registered", *_PAIRS))

USED_ID = "used-id"
FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            Fault("checksum", "checksum_invalid", _at("subject", _PEOPLE),
                  _set({"scheme": "nhs_number", "value": "9990000019"})),  # its check digit would be 8
            Fault("no-such-day", "date_impossible", _at("occurred_on", _PEOPLE), _set(_date(2023, 2, 30))),
            Fault("future", "date_in_future", _at("occurred_on", _DATED), _in_future),
            Fault("order", "date_order", _at("occurred_on", ("death-notified", "death-registered", "name-changed",
                                                             *_PAIRS)), _set(_date(1801, 5, 4))),
            Fault("missing", "required_missing", _NEEDED, _set(None)),
            Fault("country-code", "pattern_mismatch", {"country": "country", "local-authority": "local_authority_eng"},
                  _set("no code")),
            Fault("routing", "subject_mismatch", _at("message.routed_to.subject", _ROUTED), _routed_to_another),
            Fault("environment", "environment_mismatch", _at("environment", _ALL), _set("LIVE")),
            Fault("source", "source_mismatch", _at("source.agency", _ALL), _set("somebody-else")),
            Fault("event-id", "event_id_invalid", _at("event_id", _ALL), _set("not-a-uuid")),
            Fault("other-key", "key_mismatch", mangle=lambda raw: ((raw[0] or b"") + b"0", raw[1])),
            Fault("no-key", "null_key", mangle=lambda raw: (None, raw[1])),
            Fault("no-value", "null_value", mangle=lambda raw: (raw[0], None)),
            Fault("no-frame", "wire_format", mangle=lambda raw: (raw[0], b"\x01" + (raw[1] or b"")[1:])),
            Fault("other-schema", "schema_unknown", mangle=lambda raw: (raw[0], _UNKNOWN_SCHEMA + (raw[1] or b"")[5:])),
            Fault("cut-off", "undecodable", mangle=_cut),
            Fault("trailing", "undecodable", mangle=lambda raw: (raw[0], (raw[1] or b"") + b"\x00")),
            Fault(USED_ID, "event_id_reused"),
            Fault("unknown-country", "code_unknown", _COUNTRIES, _set("QQ"), flags=True),
            Fault("postcode", "pattern_mismatch", _ends("postcode", _HOMES), _set("no postcode"), flags=True),
            Fault("recorded-early", "date_order", _RECORDED, _recorded_too_soon, flags=True),
            Fault("spreadsheet-date", "spreadsheet_date", _DATES, _set(_date(1905, 5, 27)), flags=True),
        )
    }
)  # fmt: skip
"""Every kind by its name. Those with `flags` are delivered all the same, with a note to the publisher."""
