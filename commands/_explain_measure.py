"""Times the views of one agreement on a sample event, by each executor that is here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

from tidings.agreements.samples import load_samples
from tidings.catalogue import plain_schema
from tidings.clock import Clock, SystemClock
from tidings.keys import KeyRing
from tidings.policy.model import Inbox, Policy, View
from tidings.projection import InboxProjector, generated_projector, reference_projector
from tidings.projection.native import NativeInbox, native_inbox, native_version
from tidings.projection.program import inbox_program

ROUNDS, CALLS = 200, 5
HOW = (
    f"Microseconds for scan and one view of one event, by one call at a time: the least of {ROUNDS} timings of {CALLS}"
    " calls on this machine, as busy as it is. The native executor's has the call from Python in it, which a batch does"
    " not pay for each event."
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One view on one sample: the least microseconds by executor."""

    feed: str
    sample: str
    event_bytes: int
    microseconds: dict[str, float]


def measured(inbox: Inbox, policy: Policy, feeds: set[str], keys: KeyRing, catalogue: Path) -> tuple[Measured, ...]:
    """The times of those `feeds` that `inbox` has; none where the event type has no typical sample."""
    event = load_samples(catalogue).get(inbox.event_type, {}).get("typical")
    if event is None:
        return ()
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(plain_schema(inbox.reader_schema)), event)
    body, clock = out.getvalue(), SystemClock()
    current = int(list(inbox.writer_schemas)[-1])
    made = []
    for view in policy.views:
        if view.feed in feeds and view.inbox == inbox.topic:
            times = {name: _least(call, clock) for name, call in _calls(inbox, view, policy, keys, current, body)}
            made.append(Measured(view.feed, "pass-typical", len(body), times))
    return tuple(made)


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


def _least(call: Callable[[], object], clock: Clock) -> float:
    call()
    times = []
    for _ in range(ROUNDS):
        began = clock.monotonic()
        for _ in range(CALLS):
            call()
        times.append((clock.monotonic() - began) / CALLS)
    return round(min(times) * 1e6, 2)
