"""Reference page of the source connectors, from each one's own specification."""

from __future__ import annotations

from commands._docs_markdown import code, codes, page, table
from connectors import SOURCES
from connectors.sources.base import SourceSpec


def sources_page() -> str:
    """Every source connector: what it reads, how each field is mapped, what it changes on the way."""
    lead = (
        "`tidings publish FILE… --as AGENCY` finds the connector by the file's content, or takes `--source NAME`. A"
        " record that cannot be an event is refused with file, line, field and rule; nothing is repaired but by a rule"
        " that stands here."
    )
    parts = [lead]
    for name, source in sorted(SOURCES.items()):
        parts += [f"## {name}", *_source(source.spec)]
    return page("Source connectors", *parts)


def _source(spec: SourceSpec) -> tuple[str, ...]:
    settled = (
        ("version", spec.version),
        ("event types", codes(spec.event_types) or "any, as the mapping says"),
        ("time zone", spec.time_zone),
        ("file names end in", codes(spec.extensions)),
        ("after a restart", spec.guarantee),
    )
    mapping = ((code(each.source), each.target, each.note) for each in spec.mapping)
    cleansing = ((code(each.name), each.meaning) for each in spec.cleansing)
    changed = table(("rule", "what it does"), cleansing) if spec.cleansing else "It changes no value on the way."
    return (
        spec.summary,
        table(("", ""), settled),
        "### Fields",
        table(("in the file", "in the event", "how"), mapping),
        "### Cleansing",
        changed,
    )
