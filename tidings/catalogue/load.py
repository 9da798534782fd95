"""Loads `schemas/avro`: the folder is the list of event types."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import fastavro

from tidings import topics
from tidings.catalogue.entry import read_entry
from tidings.catalogue.fields import field_map
from tidings.catalogue.json_file import JsonFile, read_json
from tidings.catalogue.model import Catalogue, EventType
from tidings.catalogue.named_types import Named, inline
from tidings.catalogue.rules import check_event, check_fields, check_named
from tidings.errors import BadInput, Problem

EVENT_NAMESPACE = "tidings.events"
TYPE_NAMESPACE = "tidings.types"
_HISTORY = re.compile(r"(?P<name>[a-z0-9-]+)\.v(?P<version>[1-9][0-9]*)\.avsc\Z")


def default_catalogue_dir() -> Path:
    """The folder `schemas/avro` of this checkout, or what the environment variable TIDINGS_CATALOGUE names."""
    override = os.environ.get("TIDINGS_CATALOGUE")
    return Path(override) if override else Path(__file__).resolve().parents[2] / "schemas" / "avro"


def record_name(event_type: str) -> str:
    """The Avro record's name of an event type: `death-registered` is `DeathRegistered`."""
    return "".join(part.capitalize() for part in event_type.split("-"))


def load_catalogue(directory: Path, known_checks: Collection[str] | None = None) -> Catalogue:
    """Load and hold every file of `directory` to the rules.

    Args:
        directory: holds `<event-type>.avsc`, `types/<Name>.avsc` and, where a type has older versions,
            `history/<event-type>.v<N>.avsc`, each standing by itself, as it was registered.
        known_checks: the names that a check may have; None accepts any (the table of checks is not the catalogue's).

    Raises:
        BadInput: with every problem of every file, each with file, line, field and rule.
    """
    problems: list[Problem] = []
    named = _load_types(directory / "types", problems)
    events = {path.stem: path for path in sorted(directory.glob("*.avsc"))}
    if not events:
        problems.append(Problem(directory.name, 0, "", "catalogue", "the folder holds no event type"))
    history = _history(directory / "history", events, problems)
    event_types: dict[str, EventType] = {}
    for name, path in events.items():
        file = _read(path, problems)
        event_type = file and _load_event(name, file, history.get(name, []), named, known_checks, problems)
        if event_type:
            event_types[name] = event_type
    if problems:
        raise BadInput(sorted(problems))
    return Catalogue(event_types)


def _read(path: Path, problems: list[Problem]) -> JsonFile | None:
    try:
        return read_json(path)
    except BadInput as error:
        problems.extend(error.problems)
        return None


def _load_types(directory: Path, problems: list[Problem]) -> Named:
    named: Named = {}
    for path in sorted(directory.glob("*.avsc")):
        file = _read(path, problems)
        if file is None or not check_named(file, path.stem, TYPE_NAMESPACE, problems):
            continue
        if file.value["type"] == "record" and not check_fields(file, problems):
            continue
        named[f"{TYPE_NAMESPACE}.{path.stem}"] = file.value
    return named


def _history(directory: Path, events: dict[str, Path], problems: list[Problem]) -> dict[str, list[Path]]:
    """Older versions' files by event type, oldest first; versions run 1..n without a gap."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in sorted(directory.glob("*.avsc")):
        match = _HISTORY.match(path.name)
        if match is None or match["name"] not in events:
            message = "an older version is named <event-type>.v<N>.avsc after an event type of the catalogue"
            problems.append(Problem(path.name, 0, "", "name-of-file", message))
        else:
            found.setdefault(match["name"], []).append((int(match["version"]), path))
    for name, versions in found.items():
        versions.sort()
        if [version for version, _ in versions] != list(range(1, len(versions) + 1)):
            problems.append(Problem(f"{name}.avsc", 0, "", "versions", "older versions run from 1 without a gap"))
    return {name: [path for _, path in versions] for name, versions in found.items()}


def _load_event(
    name: str,
    file: JsonFile,
    older: list[Path],
    named: Named,
    known_checks: Collection[str] | None,
    problems: list[Problem],
) -> EventType | None:
    if not topics.is_id(name):
        problems.append(Problem(file.path.name, 0, "", "id", "an event type's id is [a-z0-9-]+"))
        return None
    schema = _event_schema(name, file, named, problems)
    if schema is None:
        return None
    entry = read_entry(file, field_map(schema), known_checks, problems)
    versions = [old for path in older if (old := _load_version(path, schema["name"], problems))]
    if entry is None:
        return None
    return EventType(
        name=name,
        record_name=schema["name"],
        owner=entry.owner,
        contact=entry.contact,
        retention_days=entry.retention_days,
        partitions=entry.partitions,
        deduplication_window_events=entry.deduplication_window_events,
        checks=entry.checks,
        default_where=entry.default_where,
        schema=schema,
        versions=(*versions, schema),
    )


def _event_schema(name: str, file: JsonFile, named: Named, problems: list[Problem]) -> dict[str, Any] | None:
    """The standalone schema of an event type's file, or None where it breaks a rule."""
    before = len(problems)
    if not check_named(file, record_name(name), EVENT_NAMESPACE, problems):
        return None
    if file.value["type"] != "record":
        problems.append(file.problem(("type",), "type", "named-type", "an event type is a record"))
        return None
    if not check_fields(file, problems):
        return None
    check_event(file, problems)
    bare = {key: value for key, value in file.value.items() if key != "catalogue"}
    for at, field in enumerate(bare["fields"]):
        unknown: set[str] = set()
        inline(field["type"], named, unknown)
        for missing in sorted(unknown):
            message = f"there is no shared type {missing!r}"
            problems.append(file.problem(("fields", at, "type"), field["name"], "unknown-type", message))
    if len(problems) > before:
        return None
    schema: dict[str, Any] = inline(bare, named, set())
    return schema if _is_avro(file, schema, problems) else None


def _load_version(path: Path, expected_name: str, problems: list[Problem]) -> dict[str, Any] | None:
    """An older version: standalone, as it was registered, for the shared types move on without it."""
    file = _read(path, problems)
    if file is None:
        return None
    schema = file.value
    if not isinstance(schema, dict) or (schema.get("name"), schema.get("namespace")) != (
        expected_name,
        EVENT_NAMESPACE,
    ):
        message = f"an older version is the record {EVENT_NAMESPACE}.{expected_name}"
        problems.append(file.problem((), "name", "name-of-file", message))
        return None
    return schema if _is_avro(file, schema, problems) else None


def _is_avro(file: JsonFile, schema: dict[str, Any], problems: list[Problem]) -> bool:
    try:
        fastavro.parse_schema(schema)
    except Exception:  # noqa: BLE001 - fastavro raises many kinds, and their text may hold a value
        problems.append(file.problem((), "(schema)", "avro", "this is not a valid Avro schema"))
        return False
    return True
