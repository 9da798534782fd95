"""Whatever comes in whatever order, with whatever restarts between: what is released is what an obvious model says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.memory_log import Fate
from tests.stream_processors.accounts import sequence_of
from tests.stream_processors.correction_window.kit import (
    HELD,
    HELD_BENEFITS,
    HOUR_S,
    WindowWorld,
    feed,
    held_policy,
    releases,
    view_of,
)
from tidings.log import Message
from tidings.projection.held_view import HeldViews
from tidings.releases import Release

CHANGES = ("CREATED", "CHANGED", "CORRECTED", "ANNULLED", "REINSTATED", "WITHDRAWN")
TAKING, GIVING = {"ANNULLED", "WITHDRAWN"}, {"CREATED", "REINSTATED"}
HEADS = HeldViews(HELD_BENEFITS.view_schema)
STOPPED = HELD_BENEFITS.model_copy(update={"stopped": True})

PUT = st.tuples(st.just("put"), st.integers(0, 2), st.sampled_from(CHANGES))
WAIT = st.tuples(st.just("wait"), st.integers(1, HOUR_S), st.none())
TURN = st.tuples(st.just("turn"), st.integers(1, 4), st.sampled_from([*Fate, Fate.COMMIT, Fate.COMMIT]))
RESTART = st.tuples(st.just("restart"), st.just(0), st.none())
SWITCH = st.tuples(st.just("switch"), st.just(0), st.none())
LIVE = st.lists(st.one_of(PUT, PUT, PUT, WAIT, TURN, TURN, RESTART), min_size=10, max_size=60)
WITH_STOPS = st.lists(st.one_of(PUT, PUT, WAIT, TURN, TURN, RESTART, SWITCH), min_size=10, max_size=60)


@dataclass
class Waits:
    """One view in the model's line."""

    number: int
    at_ms: int
    record: int
    change: str
    replaced: list[int] = field(default_factory=list)
    corrected: bool = False


@dataclass
class Model:
    """Lists, gone through from the start each time."""

    written: list[Waits] = field(default_factory=list)
    read: int = 0
    line: list[Waits] = field(default_factory=list)
    feed: list[tuple[int, str]] = field(default_factory=list)
    gone: dict[int, Release] = field(default_factory=dict)
    stopped: bool = False

    def turn(self, now_ms: int, limit: int, fate: Fate) -> None:
        """What one turn of the loop comes to."""
        happens = fate in {Fate.COMMIT, Fate.CRASH_AFTER}
        due = [each for each in self.line if self.stopped or each.at_ms + HOUR_S * 1_000 <= now_ms]
        if due:
            if happens:
                self.line = [each for each in self.line if each not in due]
                for each in due:
                    self._settle(each)
            if fate is not Fate.COMMIT:
                return
        if happens:
            for each in self.written[self.read : self.read + limit]:
                self._read(each)
            self.read = min(len(self.written), self.read + limit)

    def _settle(self, each: Waits) -> None:
        if self.stopped:
            self.gone[each.number] = Release.STOPPED
        else:
            self.gone[each.number] = Release.CORRECTED if each.corrected else Release.RELEASED
            self.feed.append((each.number, "CORRECTED" if each.corrected else each.change))
        self.gone |= dict.fromkeys(each.replaced, Release.REPLACED)

    def _read(self, new: Waits) -> None:
        mine = [each for each in self.line if each.record == new.record]
        if new.change in GIVING:
            over = [each for each in mine if each.change in TAKING]
            new.corrected = bool(over)
        else:
            over = [each for each in mine if new.change in TAKING and each.change not in TAKING]
        new.replaced = [number for each in over for number in (*each.replaced, each.number)]
        self.line = [each for each in self.line if each not in over] + [new]


class Run:
    """A window and its model, led through the same steps."""

    def __init__(self) -> None:
        self.world = WindowWorld(held_policy(views=(HELD_BENEFITS,)))
        self.model = Model()
        self.offsets: list[int] = []

    def step(self, what: str, number: int, how: Any) -> None:
        """One step in both."""
        world, model = self.world, self.model
        if what == "put":
            key, value = view_of(number, how)
            self.offsets.append(world.log.append(Message(HELD, 0, key, HEADS.numbered(value, len(self.offsets) + 1))))
            model.written.append(Waits(len(model.written), world.clock.now_ms(), number, how))
            world.log.gap(world.log.partitions(HELD)[0])
        elif what == "wait":
            world.clock.advance(number)
        elif what == "turn":
            world.window.turn(number, how)
            model.turn(world.clock.now_ms(), number, how)
        elif what == "restart":
            world.window.restart()
        else:
            model.stopped = not model.stopped
            world.policy = held_policy(world.policy.version + 1, (STOPPED if model.stopped else HELD_BENEFITS,))

    def finish(self) -> None:
        """Let all that waits go."""
        for _ in range(3):
            self.step("wait", HOUR_S, None)
            for _ in range(len(self.offsets) + 2):
                self.step("turn", 4, Fate.COMMIT)

    def entries(self) -> dict[int, tuple[Release, int | None, int]]:
        """Outcome, feed sequence and time of each settled view, by its number."""
        numbers = {offset: number for number, offset in enumerate(self.offsets)}
        return {
            numbers[entry.offset]: (entry.outcome, entry.sequence, block.released_at_ms)
            for block in releases(self.world)[0]
            for entry in block.entries
        }

    def fed(self) -> list[tuple[int, str]]:
        """The feed: the number of each view, and its change as it is read there."""
        numbers = {sequence: number for number, (_, sequence, _) in self.entries().items() if sequence}
        records = self.world.log.all(HELD_BENEFITS.feed)
        assert [sequence_of(record) for record in records] == list(range(1, len(records) + 1))
        read = ["WITHDRAWN" if each["kind"] == "WITHDRAWN" else each["change"] for each in feed(self.world)]
        return [(numbers[at], change) for at, change in enumerate(read, 1)]


def state(views: list[tuple[int, str]], of: list[Waits]) -> dict[int, int]:
    """What a subscriber has after `views`: of each record, the number of the view that it goes by."""
    held: dict[int, int] = {}
    for number, change in views:
        if change in TAKING:
            held.pop(of[number].record, None)
        else:
            held[of[number].record] = number
    return held


def run(steps: list[tuple[str, int, Any]]) -> Run:
    """A run after `steps`, with nothing left waiting."""
    made = Run()
    for step in steps:
        made.step(*step)
    made.finish()
    return made


@given(LIVE)
def test_releases_are_those_of_the_model(steps: list[tuple[str, int, Any]]) -> None:
    """Each view is settled once, none before its time, in order; and a subscriber ends with what a direct feed gives
    it."""
    made = run(steps)
    written, entries = made.model.written, made.entries()
    assert made.fed() == made.model.feed
    assert {number: outcome for number, (outcome, _, _) in entries.items()} == made.model.gone
    assert sorted(entries) == list(range(len(written)))
    assert [number for number, _ in made.fed()] == sorted(number for number, _ in made.fed())
    for number, (outcome, _, released_at_ms) in entries.items():
        assert not outcome.delivered or released_at_ms >= written[number].at_ms + HOUR_S * 1_000
    assert state(made.fed(), written) == state([(each.number, each.change) for each in written], written)


@given(WITH_STOPS)
def test_stops_win_whenever_they_come(steps: list[tuple[str, int, Any]]) -> None:
    """Nothing that waited at a stop is released, and each view is still settled once."""
    made = run(steps)

    assert made.fed() == made.model.feed
    assert {number: outcome for number, (outcome, _, _) in made.entries().items()} == made.model.gone
    assert sorted(made.entries()) == list(range(len(made.model.written)))
