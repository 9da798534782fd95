"""Reads the property `catalogue` of an event type: owner, contact, retention, checks."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidings import topics
from tidings.catalogue.fields import FieldInfo
from tidings.catalogue.json_file import JsonFile
from tidings.errors import Problem
from tidings.policy.model import CheckRule, Condition
from tidings.retention import INBOX_LEAST_DAYS

DEDUPLICATION_WINDOW_EVENTS = 50_000


class CatalogueEntry(BaseModel):
    """What the catalogue settles for an event type. Days and events are counts; the partitions are the inbox's.

    `contact` is a functional mailbox, never a person's. The deduplication window is counted in events of one partition.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    contact: Annotated[str, Field(pattern=r"^[a-z0-9.+-]+@[a-z0-9.-]+$")]
    retention_days: Annotated[int, Field(ge=INBOX_LEAST_DAYS, le=3660)]
    partitions: Annotated[int, Field(ge=1, le=3)]
    deduplication_window_events: Annotated[int, Field(ge=1, le=1_000_000)] = DEDUPLICATION_WINDOW_EVENTS
    checks: tuple[CheckRule, ...] = ()
    default_where: tuple[Condition, ...] = ()


def read_entry(
    file: JsonFile, fields: dict[str, FieldInfo], known_checks: Collection[str] | None, problems: list[Problem]
) -> CatalogueEntry | None:
    """The entry of an event type's file, or None where it is unusable; what is wrong is added to `problems`."""
    raw = file.value.get("catalogue")
    if not isinstance(raw, dict):
        problems.append(file.problem(("catalogue",), "catalogue", "required", "every event type has a catalogue entry"))
        return None
    try:
        entry = CatalogueEntry.model_validate(raw)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False, include_context=False):
            place = ("catalogue", *each["loc"])
            rule = "unknown-key" if each["type"] == "extra_forbidden" else each["type"].replace("_", "-")
            problems.append(file.problem(place, ".".join(map(str, place)), rule, each["msg"]))
        return None
    _check_entry(file, entry, fields, known_checks, problems)
    return entry


def _check_entry(
    file: JsonFile,
    entry: CatalogueEntry,
    fields: dict[str, FieldInfo],
    known_checks: Collection[str] | None,
    problems: list[Problem],
) -> None:
    if not topics.is_id(entry.owner):
        problems.append(file.problem(("catalogue", "owner"), "catalogue.owner", "id", "an agency's id is [a-z0-9-]+"))
    for at, rule in enumerate(entry.checks):
        place = ("catalogue", "checks", at)
        field = f"catalogue.checks.{at}"
        if known_checks is not None and rule.check not in known_checks:
            problems.append(file.problem(place, field, "unknown-check", f"there is no check {rule.check!r}"))
        if not rule.paths:
            problems.append(file.problem(place, field, "paths", "a check names at least one path"))
        problems.extend(
            file.problem(place, field, "unknown-path", f"the event type has no field {path!r}")
            for path in dict.fromkeys((*rule.paths, *_paths_in(rule)))
            if path not in fields
        )
    for at, condition in enumerate(entry.default_where):
        if condition.path not in fields:
            place = ("catalogue", "default_where", at)
            message = f"the event type has no field {condition.path!r}"
            problems.append(file.problem(place, f"catalogue.default_where.{at}", "unknown-path", message))


def _paths_in(rule: CheckRule) -> list[str]:
    """The paths that stand in a check's parameters: `first`, `then` and `when.path`."""
    when = rule.params.get("when")
    named = [rule.params.get("first"), rule.params.get("then"), when.get("path") if isinstance(when, dict) else None]
    return [path for path in named if isinstance(path, str)]
