"""Exactly once, whatever happens: any interleaving of batches, aborts, crashes and policy switches gives one result."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.memory_log import Fate
from tests.stream_processors.accounts import account, blocks, entries, sequence_of
from tests.stream_processors.world import (
    BENEFITS,
    ENDED,
    INBOX,
    KEYS,
    PARTITIONS,
    STATISTICS,
    World,
    event,
    policy,
    value,
)
from tidings import wire
from tidings.decisions import Outcome
from tidings.errors import Severity
from tidings.log import Partition
from tidings.policy.model import Policy
from tidings.projection import InboxProjector, reference_projector

ABROAD = {"use": "HOME", "lines": [], "postcode": None, "country": "FR"}
MADE: dict[int, Any] = {}
POLICIES = {1: policy(1), 2: policy(2, (STATISTICS, ENDED), window=9), 3: policy(3, (BENEFITS, STATISTICS), window=60)}

PUBLISH = st.tuples(
    st.just("publish"),
    st.integers(0, 12),
    st.sampled_from(["sound", "abroad", "annulled", "protected", "mended", "broken", "null", "gap"]),
)
TURN = st.tuples(st.just("turn"), st.integers(1, 5), st.sampled_from([*Fate, Fate.COMMIT, Fate.COMMIT]))
SWITCH = st.tuples(st.just("switch"), st.just(0), st.just(None))
MOVE = st.tuples(st.just("move"), st.integers(0, PARTITIONS - 1), st.just(None))
STEPS = st.lists(st.one_of(PUBLISH, PUBLISH, PUBLISH, TURN, TURN, SWITCH, MOVE), min_size=20, max_size=80)


def publish(world: World, number: int, how: str) -> None:
    """Send one event of a kind."""
    changes: dict[str, Any] = {
        "abroad": {"usual_residence": ABROAD},
        "annulled": {"change": "ANNULLED", "deceased": None, "usual_residence": None},
        "protected": {"protection": "LOCATION"},
        "mended": {"record_version": 2},
    }.get(how, {})
    record = event(number, **changes)
    if how == "null":
        world.publish(record, value=None)
    elif how == "broken":
        world.publish(record, value=value(record)[:-2])
    elif how == "gap":
        world.log.gap(Partition(INBOX, number % PARTITIONS), 3)
    else:
        world.publish(record)


def run(steps: list[Any]) -> World:
    """A world after `steps`, drained."""
    world = World(POLICIES[1], factory=lambda made, _inbox, _views: projector_of(made))
    for what, number, how in steps:
        if what == "publish":
            publish(world, number, how)
        elif what == "turn":
            world.loop.turn(number, how)
        elif what == "switch":
            world.policy = POLICIES[min(world.policy.version + 1, 3)]
        else:
            world.loop.handler.give([Partition(INBOX, number)])
            world.loop.take([Partition(INBOX, number)])
    world.loop.drain(7)
    return world


def projector_of(made: Policy) -> InboxProjector:
    """The reference projection of a policy, made once."""
    if made.version not in MADE:
        MADE[made.version] = reference_projector(made.inboxes[0], made.views, KEYS, made.version)
    projector: InboxProjector = MADE[made.version]
    return projector


def expected_feed(world: World, feed: str, number: int) -> list[tuple[bytes | None, bytes | None]]:
    """What one pass of the reference projection makes of one inbox partition, by the policies that decided."""
    decided = entries(world)
    versions = {
        (number, entry.offset): block.policy_version for block in blocks(world, number) for entry in block.entries
    }
    where = Partition(INBOX, number)
    made: list[tuple[bytes | None, bytes | None]] = []
    for record in world.log.read_range(where, 0, world.log.ends([where])[where]):
        if not decided[number, record.offset].outcome.accepted:
            continue
        in_force: Policy = POLICIES[versions[number, record.offset]]
        projector = projector_of(in_force)
        scan = projector.scan(7, (record.value or b"")[5:])
        flags = [each for each in projector.findings(scan, world.clock.now_ms()) if each.severity is Severity.FLAG]
        for view in in_force.views:
            if view.feed != feed or (view is ENDED and scan.change != "ANNULLED"):
                continue
            projected = projector.decide(scan, view, flags)
            if projected.outcome != "filtered":
                head = wire.header(view.schema_id) + wire.zigzag(len(made) + 1)
                made.append((projected.key, head + projected.tail))
    return made


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_feeds_equal_one_pass_of_the_reference(steps: list[Any]) -> None:
    """Nothing lost, nothing twice, order kept; sequences without gaps; one verified chain that tiles the inbox."""
    world = run(steps)
    account(world)
    for number in range(PARTITIONS):
        chain = blocks(world, number)
        assert [block.policy_version for block in chain] == sorted(block.policy_version for block in chain)
        assert chain[-1].last_offset + 1 == world.log.positions[Partition(INBOX, number)].offset
        for view in (BENEFITS, STATISTICS, ENDED):
            where = Partition(view.feed, number)
            records = list(world.log.read_range(where, 0, world.log.ends([where])[where]))
            assert [(record.key, record.value) for record in records] == expected_feed(world, view.feed, number)
            assert dict(chain[-1].sequences).get(view.feed, 0) == (sequence_of(records[-1]) if records else 0)


@settings(deadline=None, max_examples=30)
@given(STEPS)
def test_duplicates_are_judged_by_the_log_alone(steps: list[Any]) -> None:
    """No abort, crash or change of hands alters what is a duplicate: each decision is the definition's."""
    world = run(steps)
    for (number, offset), entry in entries(world).items():
        in_force = next(POLICIES[block.policy_version] for block in blocks(world, number) if entry in block.entries)
        size = in_force.inboxes[0].deduplication_window_events
        where = Partition(INBOX, number)
        record = world.log.record_at(where, offset)
        assert record is not None
        standing = [
            (each.key, each.value)
            for each in world.log.read_range(where, max(0, offset - size), offset)
            if each.value is not None and record.value is not None and each.value[5:42] == record.value[5:42]
        ]
        assert (entry.outcome is Outcome.DUPLICATE) == ((record.key, record.value) in standing)


def test_an_aborted_batch_is_decided_again_to_the_byte() -> None:
    """Abort and retry give the transaction that would have been, nonces apart."""
    world = World()
    for number in range(8):
        publish(world, number, "sound")
    records = [
        record for number in range(PARTITIONS) for record in world.log.read_range(Partition(INBOX, number), 0, 99)
    ]
    handler = world.loop.handler
    now_ms = world.clock.now_ms()
    first = handler.decide(records, now_ms)
    handler.aborted()

    assert handler.decide(records, now_ms) == first
