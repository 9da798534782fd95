"""What may go wrong with what flows, found as it flows: findings with severity and evidence, never a value.

- **volume**, of a feed: a day with far more views than the 30 days before, by a modified z-score beyond 3.5 (Source:
  B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers", 1993), at least twice the median, and 20. MEDIUM;
  HIGH from ten times the median.
- **reidentification**, of a feed without names: of the combinations of quasi-identifiers that it told in four weeks,
  one subject alone has at least 5 %. LOW; MEDIUM from 20 %, HIGH from 50 %.
- **linkable**, of two agreements of one agency: they can be joined, and one names people where the other tells what is
  sensitive without a name. HIGH for special and criminal data, MEDIUM for places and children's.
- **unmasked**, of two agreements of one agency: of the same events one tells bare what the other masks. LOW.
- **unused**, of a feed: nothing was told to it for 90 days. LOW.
- **expiring**, of an agreement: it ends within 60 days. LOW; MEDIUM from 30 days, HIGH from 7.
- **broader**, of a feed: of 200 views or more in four weeks none held a field that it gives. LOW.

Bounds without a source are house rules.

Volume is what an agency receives, by the decisions: views told a day (UTC), silent days counted as none, after a week
of history. What it reads of that stands in its groups' offsets, which no processor may see; the monitor shows it
(`tidings_feed_lag_events`).

Quasi-identifiers are the fields that a feed's schema tells of the categories identifier, location and child, and
occurred_on. Names and identifiers are not: a feed that tells one as it is identifies people, as was agreed, and is not
measured. recorded_at is left out: it singles out each event for whoever saw it elsewhere (the page on privacy). How
many subjects share a combination is known by a sketch of up to 1,024 combinations and five subjects of each (Source:
P. H. Chia and others, "KHyperLogLog", IEEE Symposium on Security and Privacy, 2019). The standard error of a share of
1,024 is at most 1.6 %, that of a proportion. Hashes are kept, which whoever may read the processor's own topics could
guess; they go after six weeks.

Feeds can be joined where they hear of the same events, by time, order and partition, or where a linkage group says so.
That an agency is allowed both does not say that it is allowed to join them. Schemas and masks alone are judged.

Findings are weighed at each start and every hour of stream time; days and weeks count once they are over. One is sent
each time while it holds, and with `active` false for three days after. Agreements in force are weighed, and only what
was told since the policy in which the monitor saw the feed first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from stream_processors.derived import _risk_sketch as sketch
from stream_processors.derived._risk_fields import combination, told, values_at
from stream_processors.derived._risk_findings import (
    KINDS,
    MONTH_DAYS,
    SEVERITIES,
    Found,
    broader,
    evidence_of,
    expiring,
    linkable,
    reidentification,
    unused,
    volume,
)
from stream_processors.host.declaration import (
    DAY_MS,
    FEED,
    HOUR_MS,
    Event,
    Gauge,
    Json,
    Part,
    Processor,
    Reads,
    Schema,
    State,
    Table,
    Writes,
    window_of,
)
from tidings import topics
from tidings.clock import utc_date
from tidings.decisions import BLOCK_SCHEMA
from tidings.errors import Finding, ReasonCode, Reject
from tidings.metrics import RISK_SEVERITY
from tidings.policy.model import Policy, View

WEEK_MS = 7 * DAY_MS
WEEKS = 4
TOLD_DAYS = 3
"""For so long it is said that a finding holds no more."""

FINDING_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "RiskFinding",
    "namespace": "tidings.processors",
    "doc": "One risk as it stands. Replaced as it is weighed anew.",
    "fields": [
        {"name": "finding", "type": "string", "doc": "volume, reidentification, linkable, ...: see above."},
        {"name": "severity", "type": {"type": "enum", "name": "RiskSeverity", "symbols": list(SEVERITIES)}},
        {"name": "active", "type": "boolean", "doc": "Whether it holds."},
        {"name": "agency", "type": "string", "doc": "The subscriber."},
        {"name": "agreements", "type": {"type": "array", "items": "string"}},
        {"name": "event_type", "type": ["null", "string"]},
        {"name": "day", "type": "string", "doc": "The day (UTC) on which it was weighed: 2026-06-01."},
        {"name": "paths", "type": {"type": "array", "items": "string"}, "doc": "The fields that it is about."},
        {
            "name": "evidence",
            "doc": "The numbers that it rests on.",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Evidence",
                    "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": "double"}],
                },
            },
        },
    ],
}


def enrol(policy: Policy) -> Iterator[tuple[str, Json]]:
    """Every feed and every agency with one is watched from the policy in which it stands first."""
    for feed in sorted(view.feed for view in policy.views):
        yield f"feed/{feed}", {"seen": policy.created_at_ms}
    for agency in sorted({view.subscriber for view in policy.views}):
        yield f"agency/{agency}", {"seen": policy.created_at_ms}


def weigh(event: Event) -> Iterator[tuple[str, Json]]:
    """What a decision block or a view adds to its feeds. Raises Reject where a view has no key."""
    if event.topic == topics.DECISIONS:
        yield from _delivered(event)
        return
    if event.schema is None or event.value.get("kind") == "WITHDRAWN":
        return
    if event.key is None:
        raise Reject([Finding(ReasonCode.NULL_KEY)])
    shape = _shape(event.schema)
    filled = [path for path, parts in shape.fields if values_at(event.value, parts)]
    added: dict[str, Any] = {"week_ms": window_of(event.at_ms, WEEK_MS), "filled": filled}
    found = combination(event.value, shape.quasi) if shape.quasi else None
    if found is not None:
        name = event.topic.encode()
        added["pair"] = [sketch.hash_of(name + b"\x00" + found), sketch.hash_of(name + b"\x01" + event.key)[:8]]
    yield f"feed/{event.topic}", added


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is looked at in the views of one schema; `quasi` is empty where they name people."""

    schema: Schema
    fields: list[tuple[str, list[str]]]
    quasi: list[list[str]]


_SHAPES: dict[int, _Shape] = {}


def _shape(schema: Schema) -> _Shape:
    """Worked out once for each schema, by its identity: the decoder holds one of each."""
    known = _SHAPES.get(id(schema))
    if known is None or known.schema is not schema:
        fields = told(schema)
        named = any(each.names_a_person for each in fields)
        quasi = [each.path.split(".") for each in fields if each.is_quasi and not named]
        known = _SHAPES[id(schema)] = _Shape(schema, [(each.path, each.path.split(".")) for each in fields], quasi)
    return known


def _delivered(event: Event) -> Iterator[tuple[str, Json]]:
    block = event.value
    counts: Counter[str] = Counter(
        each["agreement"]
        for entry in block["entries"]
        for each in entry["agreements"]
        if each["outcome"] in ("DELIVERED", "WITHDRAWN")
    )
    for feed, views in sorted(counts.items()):
        yield f"feed/{feed}", {"day_ms": window_of(block["decided_at"], DAY_MS), "views": views}


def take_in(part: Part, state: State) -> None:
    """Add a part to its feed's days and weeks; what it changes is found at the next sweep."""
    added = part.value
    if "seen" in added:
        seen_ms = added["seen"]
        watched = state.update(
            "watched", lambda row: {**(row or {}), "seen": min(seen_ms, (row or {}).get("seen", seen_ms))}
        )
        find(part.key, "", watched, state)  # at each start: nobody waits an hour for what schemas alone say
    elif "day_ms" in added:
        begins = added["day_ms"]
        state.update("days", lambda row: (row or 0) + added["views"], str(begins), window_ms=begins)
        state.update("watched", lambda row: {**(row or {}), "last": max(begins, (row or {}).get("last", 0))})
    else:
        begins = added["week_ms"]
        state.update("weeks", lambda row: _filled(row, added["filled"]), str(begins), window_ms=begins)
        if "pair" in added:
            its, subject = added["pair"]
            _sample(begins, its, subject, state)


def _filled(row: Json | None, paths: list[str]) -> Json:
    standing = row or {"views": 0, "filled": {}}
    filled = dict(sorted((Counter(standing["filled"]) + Counter(paths)).items()))
    return {"views": standing["views"] + 1, "filled": filled}


def _sample(week_ms: int, its: str, subject: str, state: State) -> None:
    row = f"{week_ms}/{sketch.bucket_of(its)}"
    if sketch.takes(state.get("sketch", row), its, subject):
        state.update("sketch", lambda standing: sketch.add(standing, its, subject), row, window_ms=week_ms)


def find(key: str, _row: str, value: Json, state: State) -> None:
    """Weigh one feed, or one agency's feeds together, and send on what is found and what holds no more."""
    if "seen" not in value:
        return
    kind, _, name = key.partition("/")
    today_ms = window_of(state.now_ms, DAY_MS)
    today = utc_date(today_ms)
    in_force = [view for view in state.policy.views if _runs(view, today)]
    if kind == "agency":
        agency, found = name, list(linkable(view for view in in_force if view.subscriber == name))
    else:
        agency = topics.parse_feed(name).subscriber
        found = [each for view in in_force if view.feed == name for each in _of_feed(view, value, today_ms, state)]
    _send(agency, found, today_ms, state)


def _runs(view: View, today: date) -> bool:
    return not view.stopped and view.valid_from <= today <= view.valid_until


def _of_feed(view: View, watched: Json, today_ms: int, state: State) -> Iterator[Found]:
    since_ms = max(watched.get("last", 0), watched["seen"], _start_ms(view))
    yield from unused(view, (today_ms - since_ms) // DAY_MS)
    yield from expiring(view, utc_date(today_ms))
    yesterday_ms = today_ms - DAY_MS
    first_ms = max(window_of(watched["seen"], DAY_MS), _start_ms(view), yesterday_ms - MONTH_DAYS * DAY_MS)
    before = [state.get("days", str(day)) or 0 for day in range(first_ms, yesterday_ms, DAY_MS)]
    yield from volume(view, state.get("days", str(yesterday_ms)) or 0, before)
    this_week_ms = window_of(today_ms, WEEK_MS)
    weeks = [this_week_ms - ago * WEEK_MS for ago in range(1, WEEKS + 1)]
    counted = [row for week in weeks if (row := state.get("weeks", str(week))) is not None]
    filled: Counter[str] = Counter()
    for row in counted:
        filled.update(row["filled"])
    yield from broader(view, sum(row["views"] for row in counted), filled)
    if counted and not any(each.names_a_person for each in told(view.view_schema)):
        buckets = (sketch.merge(state.get("sketch", f"{week}/{n}") for week in weeks) for n in range(sketch.BUCKETS))
        yield from reidentification(view, sketch.shared(buckets))


def _start_ms(view: View) -> int:
    return (view.valid_from - date(1970, 1, 1)).days * DAY_MS


def _send(agency: str, found: list[Found], today_ms: int, state: State) -> None:
    standing: Json = state.get("told") or {}
    holding = {each.name: each for each in found}
    kept = {
        name: each for name, each in standing.items() if name in holding or today_ms - each["day"] < TOLD_DAYS * DAY_MS
    }
    for name, each in holding.items():
        kept[name] = {
            "day": today_ms, "finding": each.kind, "severity": each.severity, "agency": agency,
            "agreements": list(each.agreements), "event_type": each.event_type,
        }  # fmt: skip
    # Written as it stands, too: what came to the disk may not have come to its changelog.
    state.update("told", lambda _row: dict(sorted(kept.items())) or None)
    for name, each in kept.items():
        its = holding.get(name)
        record: dict[str, Any] = {
            **each, "active": its is not None, "day": utc_date(today_ms).isoformat(),
            "paths": list(its.paths) if its else [], "evidence": evidence_of(its) if its else [],
        }  # fmt: skip
        state.emit(topics.RISK_FINDINGS, f"{agency}/{name}", record)


def show(finding: dict[str, Any]) -> Iterator[Gauge]:
    """A finding as a metric of each of its agreements."""
    severity = SEVERITIES.index(finding["severity"]) + 1 if finding["active"] else 0
    for agreement in finding["agreements"]:
        yield RISK_SEVERITY, (finding["agency"], agreement, finding["finding"]), severity


def show_first(policy: Policy) -> Iterator[Gauge]:
    """Nothing was found."""
    for view in policy.views:
        for kind in KINDS:
            yield RISK_SEVERITY, (view.subscriber, view.agreement, kind), 0


PROCESSOR = Processor(
    name="risk-monitor",
    summary="Finds what is out of the ordinary, tells too much, or is no longer needed in what flows to each agency.",
    reads=(Reads(topics.DECISIONS, BLOCK_SCHEMA), Reads(FEED)),
    writes=(Writes(topics.RISK_FINDINGS, FINDING_SCHEMA, retention_days=400),),
    tables=(
        Table("watched", swept=True),
        Table("days", keep_ms=(MONTH_DAYS + 3) * DAY_MS),
        Table("weeks", keep_ms=(WEEKS + 2) * WEEK_MS),
        Table("sketch", keep_ms=(WEEKS + 2) * WEEK_MS),
        Table("told"),
    ),
    split=weigh,
    step=take_in,
    sweep=find,
    sweep_every_ms=HOUR_MS,
    enrol=enrol,
    shows=show,
    shows_first=show_first,
)
