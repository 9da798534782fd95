"""Times the views of one agreement on a sample event, by each executor that is here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

from tidings.agreements.samples import load_samples
from tidings.catalogue import plain_schema
from tidings.clock import Clock, SystemClock
from tidings.keys import KeyRing
from tidings.policy.model import FieldRule, Inbox, Policy, View
from tidings.projection import InboxProjector, derive_view_schema, generated_projector, reference_projector
from tidings.projection.heads import HEAD_DEFAULTS
from tidings.projection.native import NativeInbox, native_inbox, native_version
from tidings.projection.program import inbox_program

ROUNDS, CALLS = 40, 10
_WHOLE, _HEAD = "the whole view", "the head"
_Call = tuple[str, str]
"""What is timed, and by which executor."""
HOW = (
    f"Microseconds for scan and one view of one event, by one call at a time: the least of {ROUNDS} timings of {CALLS}"
    " calls on this machine, as busy as it is. The native executor's has the call from Python in it, which a batch does"
    " not pay for each event. An operation's is what a view of the head and this field takes beyond one of the head."
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One view on one sample: the least microseconds by executor. `operations` has by path what each field that the
    agreement names adds, by executor; `head` what a view takes that names none but those of the head."""

    feed: str
    sample: str
    event_bytes: int
    microseconds: dict[str, float]
    head: dict[str, float]
    operations: dict[str, dict[str, float]]


def measured(inbox: Inbox, policy: Policy, feeds: set[str], keys: KeyRing, catalogue: Path) -> tuple[Measured, ...]:
    """The times of those `feeds` that `inbox` has; none where the event type has no typical sample."""
    event = load_samples(catalogue).get(inbox.event_type, {}).get("typical")
    if event is None:
        return ()
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(plain_schema(inbox.reader_schema)), event)
    body, clock = out.getvalue(), SystemClock()
    current = int(list(inbox.writer_schemas)[-1])
    views = [view for view in policy.views if view.feed in feeds and view.inbox == inbox.topic]
    return tuple(_of_view(inbox, view, policy, keys, current, body, clock) for view in views)


def _of_view(
    inbox: Inbox, view: View, policy: Policy, keys: KeyRing, schema_id: int, body: bytes, clock: Clock
) -> Measured:
    of_head = tuple(rule for rule in view.fields if rule.path.partition(".")[0] in HEAD_DEFAULTS)
    views = {_WHOLE: view, _HEAD: _with(inbox, view, of_head)}
    views |= {rule.path: _with(inbox, view, (*of_head, rule)) for rule in view.fields if rule not in of_head}
    calls = {
        (what, name): call
        for what, each in views.items()
        for name, call in _calls(inbox, each, policy, keys, schema_id, body)
        if name != "reference" or what == _WHOLE  # of which the parts are nobody's concern
    }
    least = _least(calls, clock)
    by = {what: {name: time for (of, name), time in least.items() if of == what} for what in views}
    head = by.pop(_HEAD)
    whole = by.pop(_WHOLE)
    added = {path: {name: round(max(times[name] - head[name], 0.0), 2) for name in times} for path, times in by.items()}
    return Measured(view.feed, "pass-typical", len(body), whole, head, added)


def _with(inbox: Inbox, view: View, rules: tuple[FieldRule, ...]) -> View:
    """The view as it would be with these rules alone."""
    schema = derive_view_schema(
        inbox.reader_schema,
        rules,
        subscriber=view.subscriber,
        agreement=view.agreement,
        agreement_version=view.agreement_version,
        include_flags=view.include_flags,
    )
    return view.model_copy(update={"fields": rules, "view_schema": schema})


def _calls(
    inbox: Inbox, view: View, policy: Policy, keys: KeyRing, schema_id: int, body: bytes
) -> Iterator[tuple[str, Callable[[], object]]]:
    """The name of each executor that is here, and one call that makes the view."""
    if native_version() is not None:
        engine = native_inbox(inbox_program(inbox, [view], policy.environment.value, policy.version), keys)
        if isinstance(engine, NativeInbox):
            yield "native", lambda: engine.project(body, 0)
    for name, factory in (("python", generated_projector), ("reference", reference_projector)):
        projector = factory(inbox, [view], keys, policy.version)

        def project(projector: InboxProjector = projector) -> Any:
            return projector.decide(projector.scan(schema_id, body), view, ())

        yield name, project


def _least(calls: Mapping[_Call, Callable[[], object]], clock: Clock) -> dict[_Call, float]:
    """The least microseconds of each. They take turns, so that a busy moment is nobody's alone."""
    least = dict.fromkeys(calls, float("inf"))
    for round_number in range(ROUNDS + 1):
        for key, call in calls.items():
            began = clock.monotonic()
            for _ in range(CALLS):
                call()
            took = (clock.monotonic() - began) / CALLS
            if round_number:  # the first warms up
                least[key] = min(least[key], took)
    return {key: round(took * 1e6, 2) for key, took in least.items()}
