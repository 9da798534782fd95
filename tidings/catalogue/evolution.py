"""FULL_TRANSITIVE without a registry: every version reads what every other version wrote.

Source: Avro 1.12 specification, "Schema Resolution"; Confluent Schema Registry, "FULL_TRANSITIVE". What this code
does not understand counts as breaking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any

from tidings.catalogue.fields import full_name, named_types

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


class ChangeKind(StrEnum):
    """Each kind of breaking change, in words."""

    FIELD_ADDED = "a field was added without a default: events of the older version do not have it"
    FIELD_REMOVED = "a field without a default was taken away: readers of the older version need it"
    TYPE_CHANGED = "the type changed"
    TYPE_WIDENED = "the type was widened: readers of the older version cannot take the new values"
    TYPE_NARROWED = "the type was narrowed: readers of the newer version cannot take the old values"
    SYMBOL_ADDED = "a symbol was added to an enum without a default: readers of the older version do not know it"
    SYMBOL_REMOVED = "a symbol was taken from an enum without a default: events of the older version may hold it"
    NAME_CHANGED = "a named type was renamed"
    SIZE_CHANGED = "a fixed type's size changed"


@dataclass(frozen=True, slots=True, order=True)
class BreakingChange:
    """One breaking change between two versions, counted from 1. `path` is dotted, empty for the record itself."""

    older: int
    newer: int
    path: str
    kind: ChangeKind

    def __str__(self) -> str:
        return f"version {self.older} to {self.newer}: {self.path or '(record)'}: {self.kind.value}"


def breaking_changes(versions: Sequence[dict[str, Any]]) -> list[BreakingChange]:
    """All breaking changes between any two of `versions` (standalone schemas, oldest first)."""
    found = []
    for (older, old), (newer, new) in combinations(enumerate(versions, 1), 2):
        kinds = {*_Reading(new, old, backward=True).run(), *_Reading(old, new, backward=False).run()}
        found += [BreakingChange(older, newer, path, kind) for path, kind in kinds]
    return sorted(found)


class _Reading:
    """Whether `reader` reads what `writer` wrote. `backward` says that the reader is the newer of the two."""

    def __init__(self, reader: Any, writer: Any, *, backward: bool) -> None:
        self._reader, self._writer = reader, writer
        self._reader_names, self._writer_names = named_types(reader, {}), named_types(writer, {})
        self._backward = backward
        self._open: set[tuple[str, str]] = set()

    def run(self) -> set[tuple[str, ChangeKind]]:
        """The breaking changes as (path, kind)."""
        return self._read(self._reader, self._writer, "")

    def _read(self, reader: Any, writer: Any, path: str) -> set[tuple[str, ChangeKind]]:
        if isinstance(writer, list) or isinstance(reader, list):
            return self._union(reader, writer, path)
        reader, writer = _plain(reader, self._reader_names), _plain(writer, self._writer_names)
        kind = reader["type"]
        if kind != writer["type"]:
            if kind in _PROMOTIONS.get(writer["type"], ()):
                return set()
            promotes = writer["type"] in _PROMOTIONS.get(kind, ())
            return {(path, self._narrowed() if promotes else ChangeKind.TYPE_CHANGED)}
        if kind == "array":
            return self._read(reader["items"], writer["items"], path)
        if kind == "map":
            return self._read(reader["values"], writer["values"], path)
        if kind in ("record", "enum", "fixed"):
            return self._named(reader, writer, path)
        return set()

    def _union(self, reader: Any, writer: Any, path: str) -> set[tuple[str, ChangeKind]]:
        """Each branch that was written needs a branch that reads it; the nearest one says what is wrong."""
        readers = reader if isinstance(reader, list) else [reader]
        found: set[tuple[str, ChangeKind]] = set()
        for branch in writer if isinstance(writer, list) else [writer]:
            tries = [self._read(each, branch, path) for each in readers]
            if all(tries):
                inner = [each for each in tries if each != {(path, ChangeKind.TYPE_CHANGED)}]
                found |= min(inner, key=len) if inner else {(path, self._unread(reader, writer))}
        return found

    def _unread(self, reader: Any, writer: Any) -> ChangeKind:
        both = isinstance(reader, list) + isinstance(writer, list)
        alone = both == 1 or (both == 2 and len(reader) < len(writer))
        return self._narrowed() if alone and _kinds(reader) <= _kinds(writer) else ChangeKind.TYPE_CHANGED

    def _named(self, reader: Any, writer: Any, path: str) -> set[tuple[str, ChangeKind]]:
        names = {full_name(reader), *_aliases(reader)}
        if full_name(writer) not in names:
            return {(path, ChangeKind.NAME_CHANGED)}
        if reader["type"] == "fixed":
            return set() if reader["size"] == writer["size"] else {(path, ChangeKind.SIZE_CHANGED)}
        if reader["type"] == "enum":
            unknown = set(writer["symbols"]) - set(reader["symbols"])
            lost = ChangeKind.SYMBOL_REMOVED if self._backward else ChangeKind.SYMBOL_ADDED
            return {(path, lost)} if unknown and "default" not in reader else set()
        pair = (full_name(reader), full_name(writer))
        if pair in self._open:
            return set()
        self._open.add(pair)
        try:
            return self._fields(reader, writer, path)
        finally:
            self._open.discard(pair)

    def _fields(self, reader: Any, writer: Any, path: str) -> set[tuple[str, ChangeKind]]:
        written = {field["name"]: field for field in writer["fields"]}
        found: set[tuple[str, ChangeKind]] = set()
        for field in reader["fields"]:
            inner = f"{path}.{field['name']}" if path else field["name"]
            match = next(
                (written[name] for name in (field["name"], *field.get("aliases", ())) if name in written), None
            )
            if match is not None:
                found |= self._read(field["type"], match["type"], inner)
            elif "default" not in field:
                found.add((inner, ChangeKind.FIELD_ADDED if self._backward else ChangeKind.FIELD_REMOVED))
        return found

    def _narrowed(self) -> ChangeKind:
        return ChangeKind.TYPE_NARROWED if self._backward else ChangeKind.TYPE_WIDENED


def _plain(schema: Any, named: dict[str, dict[str, Any]]) -> dict[str, Any]:
    while not isinstance(schema, dict) or isinstance(schema["type"], dict):
        schema = schema["type"] if isinstance(schema, dict) else named.get(schema, {"type": schema})
    return schema


def _kinds(schema: Any) -> set[str]:
    branches = schema if isinstance(schema, list) else [schema]
    return {each if isinstance(each, str) else each.get("name") or str(each["type"]) for each in branches}


def _aliases(schema: dict[str, Any]) -> list[str]:
    space = schema.get("namespace")
    return [name if "." in name or not space else f"{space}.{name}" for name in schema.get("aliases", ())]
