"""Reference page of the derived processors: what each reads, writes and keeps, out of its own declaration."""

from __future__ import annotations

from collections.abc import Iterator

from commands._docs_markdown import code, docstring, page, table
from stream_processors.host.declaration import DAY_MS, Processor, Table
from stream_processors.host.discover import load_module, load_processors
from stream_processors.host.needs import changelog_topic, group_of, quarantine_topic, work_topic
from tidings.provisioning.processors import principal_of


def processors_page() -> str:
    """Every processor with its declaration, in the order of their names."""
    processors = load_processors()
    index = ((f"[{each.name}](#{each.name})", each.summary) for each in processors)
    return page(
        "Derived processors",
        "Each is one file of `stream_processors/derived`, run by `tidings run NAME` as a principal of its own, which"
        " may touch the topics that the file declares and nothing else. The guide on processors shows how"
        " one is made.",
        table(("processor", "what it does"), index),
        *(text for each in processors for text in _one(each)),
    )


def _one(processor: Processor) -> Iterator[str]:
    yield f"## {processor.name}"
    yield docstring(load_module(processor.name))
    group = f"of the linkage group {code(processor.linkage)}, " if processor.linkage else ""
    rows = [
        (
            "reads",
            code(each.topic),
            group + ("its writer's schema" if each.schema is None else _record(each.schema["name"])),
        )
        for each in processor.reads
    ]
    rows += [
        ("writes", code(each.topic), f"{_record(each.schema['name'])}, kept {each.retention_days} days at least")
        for each in processor.writes
    ]
    rows += [("keeps", code(changelog_topic(processor, each.name)), _kept(each)) for each in processor.tables]
    rows += [
        ("work", code(work_topic(processor)), f"{processor.partitions} partitions"),
        ("sets aside", code(quarantine_topic(processor)), "coordinates and a code"),
        ("principal", code(principal_of(processor.name)), f"in group {code(group_of(processor))}"),
    ]
    yield table(("", "topic", ""), rows)
    for writes in processor.writes:
        fields = ((code(f["name"]), _type(f["type"]), f.get("doc", "")) for f in writes.schema["fields"])
        yield f"A record of {code(writes.topic)}: {writes.schema.get('doc', '')}"
        yield table(("field", "type", ""), fields)


def _record(name: str) -> str:
    return f"record {code(name)}"


def _kept(kept: Table) -> str:
    return "for ever" if kept.keep_ms is None else f"{kept.keep_ms // DAY_MS} days"


def _type(avro: object) -> str:
    if isinstance(avro, list):
        return " or ".join(_type(each) for each in avro)
    if isinstance(avro, dict):
        inner = avro.get("items")
        return f"list of {_type(inner)}" if inner is not None else str(avro.get("name", avro["type"]))
    return str(avro)
