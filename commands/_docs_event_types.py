"""Reference pages of the event types: an index with the head, one page a type, and the shared named types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from commands._docs_agreements import page_name
from commands._docs_fields import fields_table, top_fields
from commands._docs_markdown import as_json, code, codes, page, table
from tidings import topics
from tidings.agreements import Country
from tidings.catalogue import HEAD_NAMES, Catalogue, EventType, fields_of
from tidings.catalogue.fields import full_name, named_types
from tidings.catalogue.load import TYPE_NAMESPACE
from tidings.policy.model import Condition

TYPES_PAGE = "types.md"


def event_type_pages(catalogue: Catalogue, country: Country) -> Iterator[tuple[str, str]]:
    """Every page by its path below `docs/reference`."""
    yield "event-types/README.md", _index(catalogue, country)
    yield f"event-types/{TYPES_PAGE}", _types(catalogue)
    for event_type in catalogue.event_types.values():
        yield f"event-types/{event_type.name}.md", _event_type(event_type, country)


def _index(catalogue: Catalogue, country: Country) -> str:
    rows = (
        (
            f"[{each.name}]({each.name}.md)",
            each.owner,
            each.retention_days,
            each.partitions,
            len(each.checks),
            sum(each.name in agreement.events for agreement in country.agreements),
        )
        for each in catalogue.event_types.values()
    )
    first = next(iter(catalogue.event_types.values()))
    head = (each for each in top_fields(fields_of(first.schema)) if each.path in HEAD_NAMES)
    return page(
        "Event types",
        "One file each in `schemas/avro`. Only its owner may publish a type.",
        table(("event type", "owner", "days kept in the inbox", "partitions", "checks", "agreements"), rows),
        "## The head",
        "Every event begins with these fields, in this order. A `?` says that a field may be null.",
        fields_table(head, TYPES_PAGE),
    )


def _event_type(event_type: EventType, country: Country) -> str:
    settled = (
        ("owner", f"{event_type.owner} ({event_type.contact})"),
        ("inbox", code(topics.inbox(event_type.owner, event_type.name))),
        ("Avro record", code(event_type.schema["namespace"] + "." + event_type.record_name)),
        ("versions", len(event_type.versions)),
        ("days kept in the inbox", event_type.retention_days),
        ("partitions", event_type.partitions),
        ("deduplication window", f"{event_type.deduplication_window_events} events of a partition"),
    )
    body = (each for each in top_fields(fields_of(event_type.schema)) if each.path not in HEAD_NAMES)
    return page(
        event_type.name,
        str(event_type.schema.get("doc", "")),
        table(("", ""), settled),
        "## Fields",
        f"After [the head](README.md#the-head). Shared types are on [their own page]({TYPES_PAGE}).",
        fields_table(body, TYPES_PAGE),
        "## Checks",
        "What each does is on [the page of checks](../checks.md).",
        _checks(event_type),
        _default_where(event_type.default_where),
        "## Who is told",
        _told(event_type, country),
    )


def _checks(event_type: EventType) -> str:
    rows = (
        (code(rule.check), rule.severity.value, codes(rule.paths), as_json(rule.params)) for rule in event_type.checks
    )
    return table(("check", "severity", "fields", "parameters"), rows)


def _default_where(conditions: tuple[Condition, ...]) -> str:
    if not conditions:
        return ""
    rows = ((code(each.path), each.op, as_json(each.values), each.missing) for each in conditions)
    lead = "## Left out unless an agreement names the field\n\nThis filter holds for every agreement whose own filters"
    return f"{lead} and fields do not name the path.\n\n" + table(("field", "is", "values", "if missing"), rows)


def _told(event_type: EventType, country: Country) -> str:
    rows = [
        (f"[{each.agreement}](../agreements/{page_name(each)})", each.subscriber, each.purpose)
        for each in country.agreements
        if event_type.name in each.events
    ]
    return table(("agreement", "subscriber", "purpose"), rows) if rows else "Nobody yet."


def _types(catalogue: Catalogue) -> str:
    named: dict[str, dict[str, Any]] = {}
    for event_type in catalogue.event_types.values():
        named_types(event_type.schema, named)
    shared = sorted(name for name in named if name.startswith(f"{TYPE_NAMESPACE}."))
    parts = []
    for name in shared:
        schema = named[name]
        parts += [f"## {name.rpartition('.')[2]}", str(schema.get("doc", ""))]
        if schema["type"] == "enum":
            parts.append(f"One of {codes(schema['symbols'])}.")
        else:
            parts.append(_type_fields(schema, named))
    return page("Shared types", "Named types of `schemas/avro/types`, used by several event types.", *parts)


def _type_fields(schema: dict[str, Any], named: dict[str, dict[str, Any]]) -> str:
    """The fields of one shared record. Types that it names and were written elsewhere are put in place first."""
    whole = {**schema, "fields": [_resolved(each, named) for each in schema["fields"]]}
    return fields_table(top_fields(fields_of(whole)), "")


def _resolved(field: dict[str, Any], named: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {**field, "type": _type(field["type"], named)}


def _type(schema: Any, named: dict[str, dict[str, Any]]) -> Any:
    if isinstance(schema, list):
        return [_type(each, named) for each in schema]
    if isinstance(schema, dict) and schema.get("type") == "array":
        return {**schema, "items": _type(schema["items"], named)}
    if isinstance(schema, str) and schema in named:
        return {**named[schema], "name": full_name(named[schema])}
    return schema
