"""The exchange and the correction window over one log in memory, on one still clock; what was settled, verified."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

from stream_processors.correction_window.report import Report
from stream_processors.correction_window.window import CorrectionWindow, Tools
from stream_processors.layout import Layout
from tests.memory_log import MemoryLog, MemoryLoop
from tests.stream_processors.world import BENEFITS, INBOX, PARTITIONS, STATISTICS, World, event, policy
from tidings import metrics, topics
from tidings.clock import StillClock
from tidings.policy.model import Policy, View
from tidings.projection import decode_view
from tidings.releases import Release, ReleaseBlock, verify_releases

HOUR_S = 3_600
HELD_BENEFITS = BENEFITS.model_copy(update={"hold_seconds": HOUR_S})
HELD = HELD_BENEFITS.written_to
RELEASES = 2


def held_policy(version: int = 1, views: tuple[View, ...] = (HELD_BENEFITS, STATISTICS)) -> Policy:
    """The world's policy, one of whose agreements holds its views back for an hour."""
    made = policy(version, views)
    return made.model_copy(update={"system_schema_ids": made.system_schema_ids | {topics.RELEASES: 104}})


class WindowWorld:
    """The correction window alone, over a log in memory: what waits is written by the test. It is the policy source."""

    def __init__(self, first: Policy | None = None) -> None:
        self.clock = StillClock()
        self.policy = first or held_policy()
        self.log = MemoryLog(self.clock, {HELD_BENEFITS.feed: PARTITIONS})
        self.window = open_window(self, self.log)

    def newer(self) -> Policy:
        """See `PolicySource.newer`: always says what is in force."""
        return self.policy


class HeldWorld(World):
    """The exchange, whose views wait, and the correction window after it; `loop` is the exchange's."""

    def __init__(self, first: Policy | None = None, **more: Any) -> None:
        super().__init__(first or held_policy(), **more)
        self.loop.reads = lambda each: each.topic == INBOX
        self.window = open_window(self, self.log)
        self.log.partition_counts |= {HELD: PARTITIONS}

    @property
    def window_metrics(self) -> metrics.MetricStore:
        """What the window shows."""
        return self.window.handler.metrics  # type: ignore[attr-defined, no-any-return]

    def pass_on(self, *records: dict[str, Any]) -> None:
        """Publish, decide, and put in line."""
        for record in records:
            self.publish(record)
        self.loop.drain()
        self.window.drain()

    def later(self, seconds: float) -> None:
        """Let time pass, and the window look at its clock."""
        self.clock.advance(seconds)
        self.window.drain()


class _Window(CorrectionWindow):
    """A window whose metrics a test can read."""

    def __init__(self, policy: Policy, tools: Tools, store: metrics.MetricStore) -> None:
        super().__init__(policy, tools)
        self.metrics = store


def open_window(source: WindowWorld | World, log: MemoryLog) -> MemoryLoop:
    """A window's loop over `log`; each start of it has metrics of its own."""
    log.partition_counts |= {HELD: PARTITIONS, topics.RELEASES: RELEASES}
    log.open_inbox(HELD)
    layout = Layout({topics.RELEASES: RELEASES})

    def make() -> CorrectionWindow:
        store = metrics.MetricStore(metrics.WINDOW_METRICS)
        return _Window(source.policy, Tools(source, log, lambda: layout, Report(store), "window-1"), store)

    return MemoryLoop(log, make, lambda each: each.topic == HELD)


@cache
def view_of(record: int, change: str) -> tuple[bytes | None, bytes]:
    """Key and value of a view, as the exchange makes it. Two records each are of one person."""
    world = HeldWorld(held_policy(views=(HELD_BENEFITS,)))
    made: dict[str, Any] = {"change": change}
    if change == "WITHDRAWN":
        made = {"change": "CHANGED", "usual_residence": None}
    world.publish(event(record // 2, record_id=f"R/{record}", **made))
    world.loop.drain()
    [held] = world.log.all(HELD)
    return held.key, held.value or b""


def feed(world: World | WindowWorld, view: View = HELD_BENEFITS) -> list[dict[str, Any]]:
    """The feed, decoded, partition by partition."""
    return [decode_view(view.view_schema, record.value or b"") for record in world.log.all(view.feed)]


def releases(world: World | WindowWorld) -> dict[int, list[ReleaseBlock]]:
    """The verified release blocks of each held partition."""
    found: dict[int, list[bytes]] = {number: [] for number in range(PARTITIONS)}
    for record in world.log.all(topics.RELEASES):
        topic, _, number = (record.key or b"").decode().partition("/")
        assert topic == HELD
        found[int(number)].append(record.value or b"")
    return {number: verify_releases(values) for number, values in found.items()}


def settled(world: World | WindowWorld) -> Counter[Release]:
    """How many views became what."""
    return Counter(entry.outcome for blocks in releases(world).values() for block in blocks for entry in block.entries)
