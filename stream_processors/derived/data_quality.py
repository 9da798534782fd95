"""How good each publisher's events are, by day and event type: a scorecard that the publisher may read.

It reads the decisions, in which no clear value is: outcomes, reason codes and field paths. What these say is known:

| measure | what is counted, over the day's events |
| --- | --- |
| rejected, flagged, duplicate, quarantined | what was decided |
| late | decided more than a day after the connector took the event in (`received_at`) |
| corrected | accepted corrections, annulments and reinstatements: what had been said was wrong |
| missing, by field | a field that a check asks for was not there |
| invalid, by field | a field's value did not pass a check |

What they do not say is not here: how often a field is empty that no check asks for, how long after the happening an
authority recorded it, which event a correction corrects, and what a publisher never sent.

Drift is the day's share less the share of the 30 days before it, taken together; `surprise` is that in standard errors
of a proportion (Source: NIST/SEMATECH e-Handbook of Statistical Methods, 7.2.4). A day counts in UTC, by when events
were decided.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from stream_processors.host.declaration import (
    DAY_MS,
    Event,
    Gauge,
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
from tidings.errors import ReasonCode
from tidings.metrics import QUALITY_SHARE

LATE_MS = DAY_MS
MONTH_DAYS = 30
KEPT_DAYS = 2 * MONTH_DAYS + 2
MEASURES = ("rejected", "flagged", "duplicate", "quarantined", "late", "corrected")
_ACCEPTED = frozenset({"DELIVERED", "WITHDRAWN", "FILTERED", "HELD"})
_CORRECTIONS = frozenset({"CORRECTED", "ANNULLED", "REINSTATED"})
_OUTCOMES = {"REJECTED": "rejected", "DUPLICATE": "duplicate", "QUARANTINED": "quarantined"}

_SHARE = {
    "type": "record",
    "name": "Measure",
    "fields": [
        {"name": "name", "type": "string"},
        {"name": "events", "type": "long"},
        {"name": "share", "type": "double", "doc": "Of the day's events: 0 to 1."},
        {"name": "drift", "type": ["null", "double"], "doc": "Less the month's share; null without a month before."},
        {"name": "surprise", "type": ["null", "double"], "doc": "Drift in standard errors; null where it has none."},
    ],
}
_FIELD = {
    "type": "record",
    "name": "FieldMeasure",
    "fields": [
        {"name": "path", "type": "string", "doc": "Dotted."},
        {"name": "missing", "type": "long"},
        {"name": "invalid", "type": "long"},
        {"name": "missing_share", "type": "double"},
        {"name": "invalid_share", "type": "double"},
    ],
}
SCORECARD_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Scorecard",
    "namespace": "tidings.processors",
    "doc": "How good one publisher's events of one type were on one day. Replaced while the day goes on.",
    "fields": [
        {"name": "publisher", "type": "string"},
        {"name": "event_type", "type": "string"},
        {"name": "day", "type": "string", "doc": "UTC: 2026-06-01."},
        {"name": "events", "type": "long", "doc": "Decided on that day, quarantine replays apart."},
        {"name": "month_events", "type": "long", "doc": "Decided in the 30 days before."},
        {"name": "measures", "type": {"type": "array", "items": _SHARE}},
        {"name": "fields", "type": {"type": "array", "items": _FIELD}},
    ],
}


def count(event: Event) -> Iterator[tuple[str, Json]]:
    """What one decision block adds to its publisher's day."""
    block = event.value
    name = topics.parse_inbox(block["inbox"])
    entries = [entry for entry in block["entries"] if not entry["late"]]
    if not entries:
        return
    counts: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    invalid: Counter[str] = Counter()
    for entry in entries:
        counts.update(_measured(entry, block["decided_at"]))
        for finding in entry["findings"]:
            if finding["path"]:
                fields = missing if finding["code"] == ReasonCode.REQUIRED_MISSING else invalid
                fields[finding["path"]] += 1
    day_ms = window_of(block["decided_at"], DAY_MS)
    yield (
        name.agency,
        {
            "event_type": name.event_type, "day_ms": day_ms, "events": len(entries), "counts": dict(counts),
            "missing": dict(missing), "invalid": dict(invalid),
        },
    )  # fmt: skip


def _measured(entry: Mapping[str, Any], decided_at_ms: int) -> Iterator[str]:
    if entry["outcome"] in _OUTCOMES:
        yield _OUTCOMES[entry["outcome"]]
    if entry["flagged"]:
        yield "flagged"
    if entry["received_at"] is not None and decided_at_ms - entry["received_at"] > LATE_MS:
        yield "late"
    if entry["outcome"] in _ACCEPTED and entry["change"] in _CORRECTIONS:
        yield "corrected"


def score(part: Part, state: State) -> None:
    """Add a block's counts to the day, and send its scorecard on, and those of later days of whose month it is part."""
    added = part.value
    event_type, day_ms = added["event_type"], added["day_ms"]
    day = state.update("days", lambda row: _sum(row, added), _row(event_type, day_ms), window_ms=day_ms)
    if day is None:
        return
    last_ms = min(state.now_ms, day_ms + MONTH_DAYS * DAY_MS)
    for each_ms in range(day_ms, max(day_ms, last_ms) + 1, DAY_MS):
        _send(part.key, event_type, each_ms, state)


def _send(publisher: str, event_type: str, day_ms: int, state: State) -> None:
    day = state.get("days", _row(event_type, day_ms))
    if day is None or not state.keeps("days", day_ms):
        return
    before = (state.get("days", _row(event_type, day_ms - ago * DAY_MS)) for ago in range(1, MONTH_DAYS + 1))
    month: Json = None
    for each in before:
        month = _sum(month, each) if each is not None else month
    card = scorecard(publisher, event_type, day_ms, day, month)
    state.emit(topics.scorecards(publisher), f"{event_type}/{card['day']}", card)


def scorecard(publisher: str, event_type: str, day_ms: int, day: Json, month: Json | None) -> dict[str, Any]:
    """A day's counts as a scorecard, beside those of the month before (None where nothing was decided in it)."""
    events = day["events"]
    paths = sorted({*day["missing"], *day["invalid"]})
    return {
        "publisher": publisher,
        "event_type": event_type,
        "day": datetime.fromtimestamp(day_ms / 1000, UTC).date().isoformat(),
        "events": events,
        "month_events": 0 if month is None else month["events"],
        "measures": [_measure(name, day, month) for name in MEASURES],
        "fields": [
            {
                "path": path, "missing": day["missing"].get(path, 0), "invalid": day["invalid"].get(path, 0),
                "missing_share": day["missing"].get(path, 0) / events,
                "invalid_share": day["invalid"].get(path, 0) / events,
            }
            for path in paths
        ],
    }  # fmt: skip


def _measure(name: str, day: Json, month: Json | None) -> dict[str, Any]:
    found, events = day["counts"].get(name, 0), day["events"]
    share = found / events
    drift = surprise = None
    if month is not None:
        usual = month["counts"].get(name, 0) / month["events"]
        drift = share - usual
        deviation = math.sqrt(usual * (1 - usual) / events)
        surprise = drift / deviation if deviation else None
    return {"name": name, "events": found, "share": share, "drift": drift, "surprise": surprise}


def _sum(row: Json | None, added: Json) -> Json:
    """Counts added up; the order of adding makes no difference."""
    standing = row or {"events": 0, "counts": {}, "missing": {}, "invalid": {}}
    sums = {
        name: dict(sorted((Counter(standing[name]) + Counter(added[name])).items()))
        for name in ("counts", "missing", "invalid")
    }
    return {"events": standing["events"] + added["events"], **sums}


def _row(event_type: str, day_ms: int) -> str:
    return f"{event_type}/{day_ms}"


def show(card: dict[str, Any]) -> Iterator[Gauge]:
    """A scorecard's shares as metrics. Of several days the last one is sent last, and stays."""
    for each in card["measures"]:
        yield QUALITY_SHARE, (card["publisher"], card["event_type"], each["name"]), each["share"]


PROCESSOR = Processor(
    name="data-quality",
    summary="Scores each publisher's events by day, event type and field, and says how that drifts.",
    reads=(Reads(topics.DECISIONS, BLOCK_SCHEMA),),
    writes=(Writes("scorecards.{publisher}", SCORECARD_SCHEMA, retention_days=400),),
    tables=(Table("days", keep_ms=KEPT_DAYS * DAY_MS),),
    split=count,
    step=score,
    shows=show,
)
