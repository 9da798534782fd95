"""What has been told of one subject, record by record, and the journeys that it makes. Pure.

A row holds, by event type and record, when each step was told first and by the authority's account recorded, when the
record was taken back, and how often it was corrected. The events of one record come in order, out of one feed
partition; those of two event types in any, and each has a place of its own in the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stream_processors.derived._journey_steps import BEFORE_MS, LIFE_EVENTS, REMOVED, WINDOW_MS, Step, step_of
from stream_processors.host.declaration import Json

RECORDS = 8
"""Of one subject and event type at most: beyond, what was taken back goes first, then the newest."""


def add(row: Json | None, fact: Json) -> Json:
    """The row with one view taken in."""
    types = dict((row or {}).get("of", {}))
    records = dict(types.get(fact["type"], {}))
    records[fact["record"]] = _told(records.get(fact["record"]), fact)
    if len(records) > RECORDS:
        del records[max(records, key=lambda each: (records[each]["gone"] is not None, records[each]["first"], each))]
    types[fact["type"]] = records
    joined = min((each for each in (fact["life"], (row or {}).get("life")) if each), default=None)
    return {**(row or {}), "of": types, "life": joined}


def _told(record: Json | None, fact: Json) -> Json:
    made = {"steps": {}, "gone": None, "corrected": 0, "first": fact["told"], **(record or {})}
    steps = dict(made["steps"])
    step = step_of(fact["type"], fact["status"])
    when = [fact["told"], fact["recorded"]]
    if fact["withdrawn"] or fact["change"] == "ANNULLED" or fact["status"] == "REMOVED":
        made["gone"] = fact["told"]
        removed = step_of(fact["type"], "REMOVED")
        if removed is not None and removed.name == REMOVED and not fact["withdrawn"]:
            steps[REMOVED] = when
    elif fact["change"] != "ENDED":
        made["gone"] = None
        steps.pop(REMOVED, None)
        if step is not None:
            if fact["change"] == "CORRECTED":
                # It had been told wrongly that things had gone further.
                steps = {name: told for name, told in steps.items() if not _is_after(fact["type"], name, step)}
            steps.setdefault(step.name, when)
    made["corrected"] += fact["change"] == "CORRECTED"
    return {**made, "steps": dict(sorted(steps.items()))}


def _is_after(event_type: str, name: str, step: Step) -> bool:
    order = [each.name for steps in LIFE_EVENTS.values() for each in steps if each.event_type == event_type]
    return order.index(name) > order.index(step.name)


def may_be_due(row: Json) -> Iterator[tuple[str, int]]:
    """Each step that may be expected (`birth/registered`), and the earliest time at which it may be due: quickly, for a
    sweep that passes most rows over."""
    for life_event, steps in LIFE_EVENTS.items():
        kinds = {step.event_type for step in steps if step.opens}
        firsts = [record["first"] for kind in kinds for record in row["of"].get(kind, {}).values()]
        for step in steps if firsts else ():
            if step.due_ms is not None:
                yield f"{life_event}/{step.name}", min(firsts) + step.due_ms


def journeys(row: Json, others: Json | None, now_ms: int) -> Iterator[dict[str, Any]]:
    """Each life event that the row tells of, its subject aside. `others` is the row of what opens none."""
    of = {**row["of"], **((others or {}).get("of", {}))}
    for life_event, steps in LIFE_EVENTS.items():
        arrived, undone = _arrivals(of, steps)
        opening = {step.name for step in steps if step.opens}
        stands = not opening.isdisjoint(arrived)
        starts = [told for name, (told, _) in (arrived if stands else undone).items() if name in opening]
        if not starts:
            continue
        start_ms = min(starts)
        arrived = {name: at for name, at in arrived.items() if name == REMOVED or (stands and _belongs(at, start_ms))}
        undone = {name: at for name, at in undone.items() if _belongs(at, start_ms)}
        told = [_step(step, arrived, undone, start_ms, now_ms if stands else None) for step in steps]
        shown = [each for each in told if each is not None]
        states = {each["state"] for each in shown}
        kinds = {step.event_type for step in steps if step.opens}
        yield {
            "life_event": life_event,
            "life_event_id": row["life"],
            "state": "UNDONE" if not stands else next((s for s in ("OVERDUE", "AWAITED") if s in states), "COMPLETE"),
            "started_at": start_ms,
            "steps": shown,
            "corrections": sum(record["corrected"] for kind in kinds for record in of.get(kind, {}).values()),
        }


_Arrival = tuple[int, int | None]
"""When a step was told, and when the authority recorded it where that is known."""


def _belongs(arrival: _Arrival, start_ms: int) -> bool:
    return start_ms - BEFORE_MS <= arrival[0] < start_ms + WINDOW_MS


def _arrivals(of: Json, steps: tuple[Step, ...]) -> tuple[dict[str, _Arrival], dict[str, _Arrival]]:
    """When each step was told first, by records that stand, and by those that were taken back."""
    standing: dict[str, _Arrival] = {}
    undone: dict[str, _Arrival] = {}
    for step in steps:
        for record in of.get(step.event_type, {}).values():
            if step.name in record["steps"]:
                told, recorded = record["steps"][step.name]
                into = standing if record["gone"] is None or step.name == REMOVED else undone
                into[step.name] = min(into.get(step.name, (told, recorded)), (told, recorded), key=lambda at: at[0])
    return standing, undone


def _step(
    step: Step, arrived: dict[str, _Arrival], undone: dict[str, _Arrival], start_ms: int, now_ms: int | None
) -> dict[str, Any] | None:
    """One step as it is sent on; None where it did not come and need not. `now_ms` is None where nothing is awaited."""
    due_ms = None if step.due_ms is None or now_ms is None else start_ms + step.due_ms
    if step.name in arrived:
        state = "ARRIVED"
    elif due_ms is not None and now_ms is not None:
        state = "OVERDUE" if now_ms >= due_ms else "AWAITED"
    elif step.name in undone:
        state = "UNDONE"
    else:
        return None
    told, recorded = arrived.get(step.name) or (undone[step.name] if state == "UNDONE" else (None, None))
    before = [] if told is None else [at for at, _ in arrived.values() if at < told]
    return {
        "step": step.name,
        "event_type": step.event_type,
        "state": state,
        "told_at": told,
        "recorded_at": recorded,
        "took_ms": None if told is None or not before else told - max(before),
        "publishing_ms": None if told is None or recorded is None else told - recorded,
        "due_at": due_ms,
    }
