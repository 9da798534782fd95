"""One sample event beside the view that the reference projector makes of it, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidings import topics, wire
from tidings.agreements.compiled import CompiledTerms
from tidings.agreements.model import Agreement
from tidings.agreements.samples import encode_sample
from tidings.catalogue import EventType
from tidings.keys import ROOT_BYTES, KeyRing
from tidings.policy.model import Inbox, View
from tidings.projection import decode_view, reference_projector

_PAGE_KEYS = KeyRing(bytes(ROOT_BYTES))
"""For pages only: their pseudonyms are nobody's."""
_MAX_TEXT = 60
_ONLY_IN_VIEW = ("sequence", "kind", "policy_version", "flags")


def sample_table(
    agreement: Agreement, event_type: EventType, terms: CompiledTerms, samples: Mapping[str, dict[str, Any]]
) -> str:
    """The table of the fullest sample that the agreement delivers, or a line that says that none is delivered."""
    inbox = _inbox(event_type)
    view = _view(agreement, event_type, terms, inbox.topic)
    projector = reference_projector(inbox, [view], _PAGE_KEYS, 1)
    for case, event in sorted(samples.items(), key=lambda item: (-len(dict(_leaves(item[1], ""))), item[0])):
        scan = projector.scan(1, encode_sample(event_type, event))
        projected = projector.decide(scan, view, ())
        if projected.outcome == "delivered":
            value = wire.header(1) + wire.zigzag(1) + projected.tail
            return "\n".join(_table(agreement, case, event, decode_view(terms.view_schema, value)))
    return f"None of the {len(samples)} samples is delivered."


def _inbox(event_type: EventType) -> Inbox:
    return Inbox(
        topic=topics.inbox(event_type.owner, event_type.name),
        agency=event_type.owner,
        event_type=event_type.name,
        partitions=1,
        reader_schema=event_type.schema,
        writer_schemas={"1": event_type.schema},
        checks=(),
        deduplication_window_events=event_type.deduplication_window_events,
    )


def _view(agreement: Agreement, event_type: EventType, terms: CompiledTerms, inbox: str) -> View:
    """The view without its interest list: the page shows what comes of somebody who is on it."""
    return View(
        agreement=agreement.agreement,
        agreement_version=agreement.version,
        subscriber=agreement.subscriber,
        inbox=inbox,
        event_type=event_type.name,
        feed=topics.feed(agreement.subscriber, agreement.agreement, agreement.version, event_type.name),
        schema_id=1,
        view_schema=terms.view_schema,
        fields=terms.fields,
        where=terms.where,
        key_group=agreement.key_group,
        protected=agreement.protected,
        valid_from=agreement.valid.from_,
        valid_until=agreement.valid.until,
        after_end=agreement.valid.after_end,
        include_flags=agreement.flags == "include",
    )


def _table(agreement: Agreement, case: str, event: dict[str, Any], view: dict[str, Any]) -> Iterator[str]:
    published, seen = dict(_leaves(event, "")), dict(_leaves(view, ""))
    yield f"The made-up sample `{case}`, as {agreement.provider} publishes it and as {agreement.subscriber} sees it:"
    yield ""
    yield f"| field | {agreement.provider} publishes | {agreement.subscriber} sees |"
    yield "| --- | --- | --- |"
    for path in [*(path for path in seen if path in _ONLY_IN_VIEW), *published]:
        # A record that became one value stands in the view under its own path.
        shown = seen.get(path) or _above(path, seen)
        yield f"| `{path}` | {_text(published.get(path, ''))} | {_text(shown) if shown else '—'} |"
    for path, value in seen.items():
        if path not in published and path not in _ONLY_IN_VIEW and not any(at.startswith(path) for at in published):
            yield f"| `{path}` |  | {_text(value)} |"


def _above(path: str, seen: Mapping[str, str]) -> str:
    while "." in path or "[" in path:
        path = path[: max(path.rfind("."), path.rfind("["))]
        if path in seen:
            return seen[path]
    return ""


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _leaves(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from _leaves(part, f"{path}[{at}]")
    elif isinstance(value, bytes):
        yield path, f"{len(value)} encrypted bytes"
    elif isinstance(value, bool):
        yield path, str(value).lower()
    elif value is not None:
        yield path, str(value)


def _text(text: str) -> str:
    """A value in a table's cell, cut where it is long."""
    text = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    return f"`{text[:_MAX_TEXT]}{'…' if len(text) > _MAX_TEXT else ''}`" if text else ""
