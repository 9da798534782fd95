"""What a view's schema says of its fields: which name a person, and which single one out together with others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from stream_processors.host.declaration import Schema

NAMING = frozenset(
    {"names", "aliases", "maiden_names", "identifiers", "subject", "related", "informant", "current", "former"}
)
"""Fields that name somebody: whoever is told one needs no combination to know who it is."""
_QUASI = frozenset({"identifier", "location", "child"})
_TELLING = frozenset({"keep", "parts"})
_HIDDEN = frozenset({"pseudonym", "encrypt", "redact", "absent", "derived"})
_HEAD = frozenset(
    {
        "sequence", "kind", "policy_version", "flags", "event_id", "change", "reason", "record_id", "record_version",
        "supersedes", "life_event_id", "recorded_at",
    }
)  # fmt: skip
_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Told:
    """One field that a feed tells: a dotted path, what it is (a category), and its mask."""

    path: str
    category: str
    mask: str

    @property
    def names_a_person(self) -> bool:
        """Whether it is, or lies in, a field that names somebody, as it is."""
        return self.mask in _TELLING and not NAMING.isdisjoint(self.path.split("."))

    @property
    def is_quasi(self) -> bool:
        """Whether it helps to single somebody out."""
        return not self.names_a_person and (self.category in _QUASI or self.path.startswith("occurred_on"))


def told(schema: Schema) -> tuple[Told, ...]:
    """Every field of a view's body that tells a value, with the fields inside it as its own; occurred_on with it."""
    return tuple(_told(schema["fields"], "", "plain", {}, 0))


def _told(fields: list[Any], above: str, category: str, named: dict[str, Any], depth: int) -> Iterator[Told]:
    for field in fields:
        # Every field of a view says its mask; one that does not is none that an agreement gave.
        name, mask = field["name"], field.get("mask")
        if (not above and name in _HEAD) or mask is None or mask in _HIDDEN:
            continue
        path = f"{above}.{name}" if above else name
        own = field.get("category", "plain")
        its = category if own == "plain" else own
        inner = _record_of(field["type"], named)
        if inner is None or depth >= _DEPTH:
            yield Told(path, its, mask)
        else:
            yield from _told(inner["fields"], path, its, named, depth + 1)


def _record_of(avro: Any, named: dict[str, Any]) -> Any | None:
    """The record that a type is, or is a list or an optional one of."""
    if isinstance(avro, list):
        return next((found for each in avro if (found := _record_of(each, named)) is not None), None)
    if isinstance(avro, str):
        return named.get(avro)
    if avro["type"] == "array":
        return _record_of(avro["items"], named)
    if avro["type"] != "record":
        return None
    named[avro["name"]] = avro
    return avro


def values_at(value: Any, path: list[str]) -> list[Any]:
    """Every value at a path, in order; none where it is null or empty."""
    if isinstance(value, list):
        return [found for each in value for found in values_at(each, path)]
    if value is None or not path:
        return [] if value is None else [value]
    return values_at(value.get(path[0]), path[1:]) if isinstance(value, dict) else []


def combination(view: dict[str, Any], paths: list[list[str]]) -> bytes | None:
    """The view's values at `paths`, as bytes to be hashed; None where it has none of them."""
    found = [values_at(view, path) for path in paths]
    return orjson.dumps(found, default=str) if any(found) else None
