"""An apply that is broken off after each step it makes, and begun again until nothing is left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands._apply import apply_plan
from commands._context import planner
from tidings.errors import Retriable
from tidings.kafka.hands import BrokerHands

STEPS = frozenset(
    {"remove_access", "make_principals", "make_topics", "set_topic", "register", "add_access", "set_quotas",
     "start_inboxes"}
)  # fmt: skip


@dataclass
class Breaking:
    """Hands that make one step, then find the broker away. They see as the real ones do."""

    hands: BrokerHands
    made: int = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.hands, name)
        if name not in STEPS:
            return found

        def step(argument: Any) -> None:
            if self.made:
                raise Retriable("the broker is away")
            found(argument)
            self.made += 1

        return step


def apply_in_steps(cluster_file: Path, folder: Path, most: int = 12) -> list[tuple[str, ...]]:
    """Apply again and again. Returns, for each attempt, the kinds of change that were due."""
    attempts: list[tuple[str, ...]] = []
    with planner(cluster_file, folder, None) as real:  # reads the files once: they stay what they are
        while len(attempts) < most:
            breaking: Any = Breaking(real.hands)
            made = real.plan()
            attempts.append(tuple(dict.fromkeys(change.kind.value for change in made.changes)))
            try:
                apply_plan(type(real)(**{**_fields(real), "hands": breaking}), made, lambda _line: None)
            except Retriable:
                continue
            return attempts
    raise AssertionError(f"not applied after {most} attempts: {attempts}")


def _fields(planner_: Any) -> dict[str, Any]:
    return {name: getattr(planner_, name) for name in type(planner_).__slots__}
