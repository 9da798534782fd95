"""The registers that are known, field by field, and what an entry after another means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from connectors.sources.base import FieldMapping, RecordError
from tidings.partial_dates import from_text, interval_of

_DATES = ("start-date", "end-date")


@dataclass(frozen=True, slots=True)
class Register:
    """One register: its name is the subject's scheme and the item's key field; `texts` are its other text fields."""

    name: str
    event_type: str
    texts: tuple[str, ...]

    def body(self, key: str, item: Mapping[str, Any]) -> dict[str, Any]:
        """The event's body. Raises RecordError where the item has another key, an unknown field or no text."""
        for name, value in item.items():
            if name not in self.texts and name not in _DATES:
                raise RecordError("add-item", "unknown-field", "the item has a field that the register does not define")
            if not isinstance(value, str):
                raise RecordError(f"add-item.{name}", "cardinality", "the field has one value, which is text")
        if item.get(self.name) != key:
            raise RecordError(f"add-item.{self.name}", "key-mismatch", "the item's key is not the entry's")
        body: dict[str, Any] = {_snake(name): item.get(name) or None for name in self.texts}
        return body | {_snake(name): _date(item, name) for name in _DATES}


REGISTERS: Mapping[str, Register] = MappingProxyType(
    {
        register.name: register
        for register in (
            Register("country", "country", ("country", "name", "official-name", "citizen-names")),
            Register(
                "local-authority-eng",
                "local-authority",
                ("local-authority-eng", "local-authority-type", "name", "official-name"),
            ),
        )
    }
)

MAPPING = (
    FieldMapping("append-entry: region", "(user: an event; system: set aside)"),
    FieldMapping("append-entry: key", "record_id, subject (scheme: the register's name)"),
    FieldMapping("append-entry: time", "recorded_at"),
    FieldMapping("append-entry: how many of the key", "record_version"),
    FieldMapping(
        "append-entry: order",
        "change",
        "the key's first: CREATED; an end-date newly set: ENDED; after an end, with a later start: CREATED; "
        "after an end, without one and with no later start: REINSTATED; else CHANGED",
    ),
    FieldMapping("append-entry: hash", "(verified)", "an item above has this SHA-256, over its exact bytes"),
    FieldMapping(
        "assert-root-hash", "(verified)", "RFC 6962 root of the user entries above; a false one is refused, and counted"
    ),
    FieldMapping(
        "add-item: start-date, end-date", "start_date, end_date", "PartialDate; occurred_on of CREATED, ENDED"
    ),
    FieldMapping("add-item: any other field", "the field of the same name, with _ for -", "empty text is absent"),
)


def change_of(body: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """What an entry does to its key's record, which read `before` until then."""
    if before is None:
        return "CREATED"
    ended_before, ends = before["end_date"], body["end_date"]
    if ended_before is None:
        return "CHANGED" if ends is None else "ENDED"
    if ends is None or _after(body["start_date"], ended_before):
        return "CREATED" if _after(body["start_date"], ended_before) else "REINSTATED"
    return "CHANGED"


def _after(start: object, end: object) -> bool:
    first, then = interval_of(end), interval_of(start)
    return first is not None and then is not None and then.surely_after(first)


def _date(item: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    text = item.get(name)
    if not text:
        return None
    parts = from_text(text)
    if parts is None:
        raise RecordError(f"add-item.{name}", "date", "not a date of the form YYYY, YYYY-MM or YYYY-MM-DD")
    return parts


def _snake(name: str) -> str:
    return name.replace("-", "_")
