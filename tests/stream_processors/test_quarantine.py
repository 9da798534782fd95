"""Our own failures: one event held, the others untouched, and a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from stream_processors.limits import QuarantineLimits, QuarantineMeter
from tests.memory_log import Fate
from tests.stream_processors.accounts import account, blocks, entries, notices, quarantined, views
from tests.stream_processors.world import (
    BENEFITS,
    INBOX,
    KEYS,
    STATISTICS,
    World,
    event,
    event_id,
    policy,
)
from tidings import topics
from tidings.decisions import BlockKind, Outcome, decode_block
from tidings.errors import Fatal, Finding
from tidings.log import Partition
from tidings.policy.model import Inbox, Policy, View
from tidings.projection import InboxProjector, Projected, Scan, reference_projector
from tidings.replays import parse_request, request_message

SECRET = "Quillfeather"


class Broken:
    """A projector that fails on some events, in one view or at the scan's findings, with the value in its message."""

    def __init__(self, inner: InboxProjector, fails: Callable[[Scan], bool], where: str) -> None:
        self._inner, self._fails, self._where = inner, fails, where

    def scan(self, schema_id: int, body: bytes) -> Scan:
        """See `InboxProjector.scan`."""
        return self._inner.scan(schema_id, body)

    def findings(self, scan: Scan, now_ms: int) -> tuple[Finding, ...]:
        """See `InboxProjector.findings`."""
        if self._where == "findings" and self._fails(scan):
            raise KeyError(SECRET)
        return self._inner.findings(scan, now_ms)

    def decide(self, scan: Scan, view: View, flags: Sequence[Finding]) -> Projected:
        """See `InboxProjector.decide`."""
        if self._where == view.agreement and self._fails(scan):
            raise RuntimeError(SECRET)
        return self._inner.decide(scan, view, flags)


class Switch:
    """Says on which events the projector fails; emptied when our code is mended."""

    def __init__(self, numbers: set[int], where: str = "statistics") -> None:
        self.ids = {event_id(number) for number in numbers}
        self._where = where

    def __call__(self, made: Policy, inbox: Inbox, views: tuple[View, ...]) -> Any:
        """A `ProjectorFactory`."""
        inner = reference_projector(inbox, views, KEYS, made.version)
        return Broken(inner, lambda scan: scan.event_id in self.ids, self._where)


def world_of(switch: Switch, count: int = 12, limits: QuarantineLimits | None = None) -> World:
    """A world with some events about one subject, so in one partition, not yet decided."""
    world = World(policy(views=(BENEFITS, STATISTICS)), factory=switch, limits=limits)
    for number in range(count):
        world.publish(event(number * 4))
    return world


@pytest.mark.parametrize("where", ["findings", "statistics"])
def test_only_the_failing_event_is_held_and_no_view_of_it_is_delivered(where: str) -> None:
    """Bisected in memory: one view's failure holds the whole event; all others are as if nothing had happened."""
    world = world_of(Switch({20}, where))
    world.loop.drain()
    (record,) = quarantined(world)

    assert account(world) == {"quarantined": 1, "delivered": 11}
    assert len(views(world, BENEFITS)) == len(views(world, STATISTICS)) == 11
    assert (record.inbox, record.offset, record.code) == (INBOX, 5, "internal")
    assert record.where.startswith("tests.stream_processors.test_quarantine:")


def test_a_quarantine_record_says_nothing_of_the_event() -> None:
    """Neither the exception's text nor the value is anywhere outside the feeds."""
    world = world_of(Switch({20}))
    world.loop.drain()
    for topic in world.log.topics() - {INBOX, BENEFITS.feed}:
        assert not any(SECRET.encode() in (record.value or b"") for record in world.log.all(topic)), topic


def test_too_many_failures_in_a_row_stop_the_worker_before_anything_is_committed() -> None:
    """Beyond the limit it is our code, not an event: Fatal, and the log is as it was."""
    world = world_of(Switch(set(range(0, 48, 4))))
    with pytest.raises(Fatal, match="in a row"):
        world.loop.drain()

    assert world.log.topics() == {INBOX, "exchange.decisions"}
    assert entries(world) == {}


def test_a_run_goes_on_over_batches_and_a_restart() -> None:
    """Small batches do not hide a run, nor does a worker that was killed between them."""
    limits = QuarantineLimits(quarantine_max_run=3)
    world = world_of(Switch(set(range(0, 48, 4))), limits=limits)
    world.loop.turn(2)
    world.loop.restart()
    world.loop.turn(1)
    with pytest.raises(Fatal, match="in a row"):
        world.loop.turn(1)


def test_the_ratio_has_a_limit_too() -> None:
    """Failures that are not in a row stop the worker when too many of the last events failed."""
    limits = QuarantineLimits(quarantine_max_run=10, quarantine_max_ratio=0.2, quarantine_ratio_events=10)
    meter = QuarantineMeter(limits).after([True, False, True, False], "p")

    meter.after([False] * 7 + [True], "p")
    with pytest.raises(Fatal, match="of the last 10 events"):
        meter.after([True], "p")


def replayed(world: World, switch: Switch, *offsets: int) -> None:
    """Mend the code and ask for a replay."""
    switch.ids.clear()
    where = Partition(INBOX, blocks_partition(world))
    for offset in offsets:
        world.log.append(request_message(where, offset, failure_of(world, offset)))
    world.clock.advance(10)


def failure_of(world: World, offset: int) -> int:
    """Where the block stands that put an event into quarantine last; where there is none, the chain's last block."""
    found = world.log.all(topics.DECISIONS)
    failures = [
        record.offset
        for record in found
        for entry in decode_block(record.value or b"").entries
        if (entry.offset, entry.outcome) == (offset, Outcome.QUARANTINED)
    ]
    return [*(record.offset for record in found), *failures][-1]


def blocks_partition(world: World) -> int:
    """The one partition with records."""
    return next(iter(world.log.all(INBOX))).partition


@pytest.mark.parametrize("fate", list(Fate))
def test_a_replay_is_decided_once_and_late(fate: Fate) -> None:
    """It bypasses the window, goes to every feed, is marked late, and survives an abort or a crash at any point."""
    switch = Switch({20})
    world = world_of(switch)
    world.loop.drain()
    replayed(world, switch, 5)
    world.loop.turn(fate=fate)
    world.clock.advance(10)
    world.loop.drain()
    made = blocks(world, blocks_partition(world))
    late = [entry for block in made for entry in block.entries if entry.late]

    assert [(entry.offset, entry.outcome) for entry in late] == [(5, Outcome.DELIVERED)]
    assert [block.kind for block in made] == [BlockKind.POLICY_SWITCH, BlockKind.BATCH, BlockKind.REPLAY]
    assert account(world) == {"delivered": 12}
    assert len(views(world, STATISTICS)) == 12
    # Its publisher was told both: that it is held, and that it was accepted after all.
    assert [(each.outcome.value, each.offset, each.late) for each in notices(world)] == [
        ("QUARANTINED", 5, False), ("ACCEPTED", 5, True)
    ]  # fmt: skip


def test_a_replay_that_fails_again_is_quarantined_again() -> None:
    """It stops nobody, and is answered."""
    switch = Switch({20})
    world = world_of(switch)
    world.loop.drain()
    kept = set(switch.ids)
    replayed(world, switch, 5)
    switch.ids |= kept
    world.loop.drain()

    assert [record.late for record in quarantined(world)] == [False, True]
    assert account(world) == {"delivered": 11, "quarantined": 1}
    # That is another failure, which can be asked for.
    replayed(world, switch, 5)
    world.loop.drain()
    assert account(world) == {"delivered": 12}


@pytest.mark.parametrize("between", ["nothing", "an answer", "a take-over"])
def test_what_is_asked_for_twice_is_answered_once(between: str) -> None:
    """Two operators in the same moment, or with an answer between: one late decision, each view once."""
    switch = Switch({20})
    world = world_of(switch)
    world.loop.drain()
    failure = failure_of(world, 5)
    replayed(world, switch, 5)
    if between != "nothing":
        world.loop.drain()
    if between == "a take-over":
        world.loop.restart()
    world.log.append(request_message(Partition(INBOX, blocks_partition(world)), 5, failure))
    world.clock.advance(10)
    world.loop.drain()

    made = blocks(world, blocks_partition(world))
    assert [entry.offset for block in made for entry in block.entries if entry.late] == [5]
    assert len(views(world, STATISTICS)) == len(views(world, BENEFITS)) == 12


def test_what_is_not_in_quarantine_is_not_replayed() -> None:
    """A request for an event that was delivered, at first or by a replay, is passed over, whichever block it names."""
    switch = Switch({20})
    world = world_of(switch)
    world.loop.drain()
    replayed(world, switch, 5)
    world.loop.drain()
    where = Partition(INBOX, blocks_partition(world))
    ends = world.log.ends(world.log.partitions(topics.DECISIONS))
    for block in range(-1, max(ends.values()) + 1):
        world.log.append(request_message(where, 4, block))
        world.log.append(request_message(where, 5, block))
    world.clock.advance(10)
    world.loop.drain()

    assert len(views(world, STATISTICS)) == len(views(world, BENEFITS)) == 12
    assert blocks(world, where.partition)[-1].replays_to > 0


def test_a_request_for_nothing_is_answered_with_an_empty_block() -> None:
    """An offset that is not there, or not decided yet, is passed over; what is no request asks for nothing."""
    switch = Switch({20})
    world = world_of(switch)
    world.loop.drain()
    replayed(world, switch, 900)
    world.loop.drain()
    last = blocks(world, blocks_partition(world))[-1]

    assert (last.kind, last.entries, last.replays_to) == (BlockKind.REPLAY, (), 0)
    assert parse_request(0, b"{}") is None
    assert parse_request(0, b'{"inbox": 1, "partition": 0, "offset": 2, "block": 3}') is None
    assert parse_request(0, b'{"inbox": "a", "partition": 0, "offset": 2, "block": null}') is None
    assert parse_request(0, b'{"inbox": "a", "partition": 0, "offset": 2}') is None
    assert parse_request(0, None) is None
