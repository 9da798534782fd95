"""How each life event goes on: which agency's step came when, how long it took, and what never came.

It reads the feeds of one linkage group, `life-event-journey`, and no other: who may know that two agencies' events
are about one subject is settled by agreements, as everything is. In these feeds a subject has one pseudonym, which is
the records' key; the decisions' tags would not do, for they are others each month. A journey is made of the feeds of
one subscriber, and told to that one alone, on `journeys.<subscriber>`.

| life event | step | brought by | expected after the start | why |
| --- | --- | --- | --- | --- |
| birth | notified | `birth-notified` | 36 hours | National Health Service Act 2006, section 269 |
| birth | registered | `birth-registered` | 42 days | Births and Deaths Registration Act 1953, section 2 |
| birth | practice | `gp-registration-changed` | 56 days | house rule: the examination at six to eight weeks |
| birth | address | `address-changed` | never | told only where the home is another |
| death | informal | `death-notified`, `INFORMAL` | never | many a death is notified formally at once |
| death | registered | `death-registered` | 5 days | Births and Deaths Registration Act 1953, sections 15 and 16 |
| death | formal | `death-notified`, `FORMAL` | 14 days | house rule: it follows the registration |
| death | removed | `death-notified`, annulled | never | the notification was wrong |

An event type has one owner, so each step is one agency's. The start is when the first step that opens the life event
was told (a practice or an address opens none, and belongs to a birth if it is told within 91 days of its start).
Times are the broker's: when a view stood in the feed.

- **told_at** is that time; **recorded_at** the authority's own, where the agreement keeps it;
- **took_ms** is from the step told before to this one: how long its agency took once something was known;
- **publishing_ms** is from recorded_at to told_at: how long the agency and the exchange took to tell it;
- **due_at** is the start and what the table says. A step that is not there by then is OVERDUE, which a sweep finds
  every six hours of stream time; it may still come.

A correction changes no time of a step that stands; one that says that a death is INFORMAL takes FORMAL away. What is
annulled or withdrawn counts no more: the step is awaited again, or, where nothing that opens the life event stands,
the journey is UNDONE. What is reinstated counts as before. Protected people's events are not in the agreements'
feeds, so theirs are no journeys.

**Bounds.** Of one subject and event type 8 records are kept. Rows go 183 days after their last view, and a journey is
sent on no more 183 days after its start: it stands on the topic as it was. The agreements keep their feeds longer, so
that a new version can make its state from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from stream_processors.derived._journey_facts import add, journeys, may_be_due
from stream_processors.derived._journey_steps import BEFORE_MS, EVENT_TYPES, OPENING
from stream_processors.host.declaration import (
    DAY_MS,
    FEED,
    HOUR_MS,
    Event,
    Json,
    Part,
    Processor,
    Reads,
    State,
    Table,
    Writes,
)
from tidings import topics
from tidings.errors import Finding, ReasonCode, Reject

LINKAGE = "life-event-journey"
KEPT_MS = 183 * DAY_MS
SWEEP_MS = 6 * HOUR_MS


def _time(name: str, doc: str) -> dict[str, Any]:
    return {"name": name, "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "doc": doc}


_STEP = {
    "type": "record",
    "name": "JourneyStep",
    "fields": [
        {"name": "step", "type": "string"},
        {"name": "event_type", "type": "string", "doc": "What brings it; its owner is the agency whose step it is."},
        {
            "name": "state",
            "type": {"type": "enum", "name": "StepState", "symbols": ["ARRIVED", "AWAITED", "OVERDUE", "UNDONE"]},
        },
        _time("told_at", "When its view stood in the feed."),
        _time("recorded_at", "When the authority recorded it, where that is known."),
        {"name": "took_ms", "type": ["null", "long"], "doc": "Since the step told before; null for the first."},
        {"name": "publishing_ms", "type": ["null", "long"], "doc": "From recorded_at to told_at."},
        _time("due_at", "By when it is expected; null where it need not come."),
    ],
}
JOURNEY_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "LifeEventJourney",
    "namespace": "tidings.processors",
    "doc": "One life event of one subject as it stands. Replaced as it goes on.",
    "fields": [
        {"name": "subject", "type": "string", "doc": "The linkage group's pseudonym."},
        {"name": "life_event", "type": "string", "doc": "birth or death."},
        {"name": "life_event_id", "type": ["null", "string"], "doc": "Joins twins; the linkage group's derived id."},
        {
            "name": "state",
            "doc": "COMPLETE: all that is expected came. UNDONE: all that opened it was annulled or withdrawn.",
            "type": {"type": "enum", "name": "JourneyState", "symbols": ["AWAITED", "OVERDUE", "COMPLETE", "UNDONE"]},
        },
        {"name": "started_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "steps", "type": {"type": "array", "items": _STEP}},
        {"name": "corrections", "type": "int", "doc": "Of the records that open it."},
    ],
}


def read(event: Event) -> Iterator[tuple[str, Json]]:
    """What one view tells of its subject. Raises Reject where it has no key or names no record."""
    feed = topics.parse_feed(event.topic)
    if feed.event_type not in EVENT_TYPES:
        return
    view = event.value
    if event.key is None:
        raise Reject([Finding(ReasonCode.NULL_KEY)])
    if not isinstance(view.get("record_id"), str):
        raise Reject([Finding(ReasonCode.REQUIRED_MISSING, "record_id")])
    yield (
        f"{feed.subscriber}/{event.key.decode('utf-8', 'replace')}",
        {
            "type": feed.event_type, "record": view["record_id"], "told": event.at_ms, "change": view.get("change"),
            "withdrawn": view.get("kind") == "WITHDRAWN", "status": view.get("status"),
            "recorded": _ms(view.get("recorded_at")), "life": view.get("life_event_id"),
        },
    )  # fmt: skip


def _ms(recorded_at: object) -> int | None:
    """Milliseconds since 1970; None where the agreement keeps no instant."""
    return round(recorded_at.timestamp() * 1000) if isinstance(recorded_at, datetime) else None


def go_on(part: Part, state: State) -> None:
    """Take a view in, and send on the journeys that its subject is on."""
    fact = part.value
    table = "opened" if fact["type"] in OPENING else "others"
    state.update(table, lambda row: add(row, fact))
    opened = state.get("opened")
    if opened is not None:
        _send(part.key, list(journeys(opened, state.get("others"), state.now_ms)), state)


def find_overdue(key: str, _row: str, value: Json, state: State) -> None:
    """Send on the journeys of which a step has become overdue. It is told at two sweeps: the first one's record may
    have been lost in a crash."""
    now_ms, seen = state.now_ms, value.get("seen", {})
    if not any(_is_fresh(seen.get(name), now_ms) for name, at_ms in may_be_due(value) if at_ms <= now_ms):
        return
    made = list(journeys(value, state.get("others"), now_ms))
    steps = {f"{each['life_event']}/{step['step']}": step["state"] for each in made for step in each["steps"]}
    marked = {name: seen.get(name, now_ms) for name, its in steps.items() if its != "AWAITED"}
    state.update("opened", lambda row: {**row, "seen": marked} if row else row)
    if any(its == "OVERDUE" and _is_fresh(seen.get(name), now_ms) for name, its in steps.items()):
        _send(key, made, state)


def _is_fresh(seen_ms: int | None, now_ms: int) -> bool:
    return seen_ms is None or now_ms - seen_ms < 2 * SWEEP_MS


def _send(key: str, made: list[dict[str, Any]], state: State) -> None:
    subscriber, _, subject = key.partition("/")
    for journey in made:
        if state.keeps("opened", journey["started_at"]):
            record = {"subject": subject, **journey}
            state.emit(topics.journeys(subscriber), f"{subject}/{journey['life_event']}", record)


PROCESSOR = Processor(
    name="life-event-journey",
    summary="Follows births and deaths from one agency's step to the next, and says what never came.",
    reads=(Reads(FEED),),
    writes=(Writes("journeys.{subscriber}", JOURNEY_SCHEMA, retention_days=400),),
    tables=(Table("opened", keep_ms=KEPT_MS, swept=True), Table("others", keep_ms=KEPT_MS + BEFORE_MS)),
    split=read,
    step=go_on,
    sweep=find_overdue,
    sweep_every_ms=SWEEP_MS,
    linkage=LINKAGE,
)
