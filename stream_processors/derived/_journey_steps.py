"""Which steps a life event has, which event brings each, and by when it should have come: see `life_event_journey`."""

from __future__ import annotations

from dataclasses import dataclass

from stream_processors.host.declaration import DAY_MS, HOUR_MS

REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `status` is the view's, where one event type brings several. `due_ms` after the start, None where it
    may never come. With `opens`, the life event begins with it."""

    name: str
    event_type: str
    due_ms: int | None = None
    status: str | None = None
    opens: bool = True


LIFE_EVENTS: dict[str, tuple[Step, ...]] = {
    "birth": (
        Step("notified", "birth-notified", 36 * HOUR_MS),
        Step("registered", "birth-registered", 42 * DAY_MS),
        Step("practice", "gp-registration-changed", 56 * DAY_MS, opens=False),
        Step("address", "address-changed", opens=False),
    ),
    "death": (
        Step("informal", "death-notified", status="INFORMAL"),
        Step("registered", "death-registered", 5 * DAY_MS),
        Step("formal", "death-notified", 14 * DAY_MS, status="FORMAL"),
        Step(REMOVED, "death-notified", status="REMOVED", opens=False),
    ),
}
"""In the order in which they should come."""

EVENT_TYPES = frozenset(step.event_type for steps in LIFE_EVENTS.values() for step in steps)
OPENING = frozenset(step.event_type for steps in LIFE_EVENTS.values() for step in steps if step.opens)
WINDOW_MS = 91 * DAY_MS
"""What does not open a life event belongs to it if it is told within so long after its start..."""
BEFORE_MS = DAY_MS
"""...or so shortly before it: topics are read side by side."""


def step_of(event_type: str, status: str | None) -> Step | None:
    """The step that an event brings, None where its status says of none."""
    for steps in LIFE_EVENTS.values():
        for step in steps:
            if step.event_type == event_type and step.status in (None, status):
                return step
    return None
