"""The files of a new derived processor, filled in with its name."""

from __future__ import annotations

from pathlib import Path
from string import Template

from tidings.errors import BadInput, BadUsage, Problem
from tidings.topics import is_id

PROCESSOR = Template('''\
"""Counts what was decided for each publisher, by day and outcome.

It reads the decisions, in which no clear value is. What it says is how many events of a publisher were decided on a day
(UTC), and with which outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from stream_processors.host.declaration import (
    DAY_MS,
    Event,
    Json,
    Part,
    Processor,
    Reads,
    State,
    Table,
    Writes,
    window_of,
)
from tidings import topics
from tidings.decisions import BLOCK_SCHEMA

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "$record",
    "namespace": "tidings.processors",
    "doc": "What was decided for one publisher on one day. Replaced while the day goes on.",
    "fields": [
        {"name": "publisher", "type": "string"},
        {"name": "day", "type": "string", "doc": "UTC: 2026-06-01."},
        {"name": "outcomes", "type": {"type": "map", "values": "long"}, "doc": "Events by outcome."},
    ],
}


def split(event: Event) -> Iterator[tuple[str, Json]]:
    """One part for a block's publisher: the day, and how many events had which outcome."""
    block = event.value
    outcomes = Counter(entry["outcome"] for entry in block["entries"])
    if outcomes:
        day_ms = window_of(block["decided_at"], DAY_MS)
        yield topics.parse_inbox(block["inbox"]).agency, {"day_ms": day_ms, "outcomes": dict(outcomes)}


def step(part: Part, state: State) -> None:
    """Add the part to its day, and send the day on."""
    day_ms = part.value["day_ms"]

    def added(row: Json | None) -> Json:
        return dict(sorted((Counter(row or {}) + Counter(part.value["outcomes"])).items()))

    outcomes = state.update("days", added, str(day_ms), window_ms=day_ms)
    if outcomes is not None and state.keeps("days", day_ms):
        day = datetime.fromtimestamp(day_ms / 1000, UTC).date().isoformat()
        record = {"publisher": part.key, "day": day, "outcomes": outcomes}
        state.emit(f"$name.{part.key}", day, record)


PROCESSOR = Processor(
    name="$name",
    summary="Counts what was decided for each publisher, by day and outcome.",
    reads=(Reads(topics.DECISIONS, BLOCK_SCHEMA),),
    writes=(Writes("$name.{publisher}", SCHEMA, retention_days=90),),
    tables=(Table("days", keep_ms=31 * DAY_MS),),
    split=split,
    step=step,
)
''')

TEST = Template('''\
"""$name: what was decided is counted by publisher, day and outcome."""

from __future__ import annotations

from collections import Counter

from stream_processors.derived.$module import PROCESSOR
from stream_processors.host.harness import TestProcessor
from tests.compliance.processor_events import decisions, policy


def test_what_was_decided_is_counted() -> None:
    """Every entry of every block counts once."""
    made, wanted = TestProcessor(PROCESSOR, policy()), Counter[str]()
    for each in decisions(seed=1):
        made.send(each.topic, each.value, at_ms=each.at_ms, partition=each.partition)
        wanted.update(entry["outcome"] for entry in each.value["entries"])
    days = made.latest("$name.gro").values()

    assert sum((Counter(day["outcomes"]) for day in days), Counter[str]()) == wanted
''')


def write_processor(name: str, into: Path) -> list[Path]:
    """Write processor and test below a checkout. Returns their paths. Raises BadInput where `name` is not an id, or
    would not be one in Python, or a file is there already; nothing is written then."""
    module = name.replace("-", "_")
    if not is_id(name) or not module.isidentifier():
        raise BadUsage("NAME", "id", "a name is a-z, 0-9 and inner hyphens, and begins with a letter")
    filled = {"name": name, "module": module, "record": "".join(part.capitalize() for part in name.split("-"))}
    files = {
        into / "stream_processors" / "derived" / f"{module}.py": PROCESSOR.substitute(filled),
        into / "tests" / "stream_processors" / "derived" / f"test_{module}.py": TEST.substitute(filled),
    }
    there = [path for path in files if path.exists()]
    if there:
        raise BadInput([Problem(str(path.relative_to(into)), 0, "", "exists", "is there already") for path in there])
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return list(files)
