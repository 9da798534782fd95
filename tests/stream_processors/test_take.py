"""Taking over, going on, switching policies: nothing starts silently, nothing goes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.memory_log import Fate
from tests.stream_processors.accounts import account, blocks, entries, views
from tests.stream_processors.world import BENEFITS, INBOX, STATISTICS, World, event, policy
from tidings import metrics
from tidings.decisions import GENESIS, BlockKind
from tidings.errors import Fatal
from tidings.log import InboxRecord, Partition, Position

ZERO = Partition(INBOX, 0)
ONE = Partition(INBOX, 1)


def decided(count: int = 8) -> World:
    """A world that has decided some events."""
    world = World()
    for number in range(count):
        world.publish(event(number))
    world.loop.drain(3)
    return world


def test_genesis_is_only_for_offset_0() -> None:
    """A partition that was read before has a block to go on from."""
    world = World()
    with pytest.raises(Fatal, match="no block was ever written"):
        world.make().take([Position(ZERO, 4, GENESIS)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offset": 99}, "the committed offset is 99"),
        ({"anchor": "0:9999"}, "not where"),
        ({"anchor": ""}, "no anchor"),
        ({"partition": ONE}, "leads to a block of"),
    ],
)
def test_a_position_that_disagrees_with_the_last_block_is_fatal(change: dict[str, object], message: str) -> None:
    """Offset, anchor and block must tell one story."""
    world = decided()
    position = replace(world.log.positions[ZERO], **change)  # type: ignore[arg-type]
    with pytest.raises(Fatal, match=message):
        world.make().take([position])


def test_a_policy_switch_is_acknowledged_for_every_owned_partition_even_when_idle() -> None:
    """Two partitions, no events: two POLICY_SWITCH blocks of the new version, once."""
    world = decided()
    before = {number: len(blocks(world, number)) for number in (0, 1)}
    world.policy = policy(2)
    world.loop.turn()
    world.loop.turn()

    for number in (0, 1):
        made = blocks(world, number)
        assert len(made) == before[number] + 1
        assert (made[-1].kind, made[-1].policy_version) == (BlockKind.POLICY_SWITCH, 2)
        assert made[-1].policy_hash == world.policy.hash
    assert world.metrics.value(metrics.POLICY_VERSION) == 2


@pytest.mark.parametrize("fate", list(Fate))
def test_an_interrupted_policy_switch_is_made_good(fate: Fate) -> None:
    """Abort or crash: the acknowledgement is written all the same, once for each partition."""
    world = decided()
    world.policy = policy(2)
    world.loop.turn(fate=fate)
    world.loop.drain()

    for number in (0, 1):
        made = [block for block in blocks(world, number) if block.policy_version == 2]
        assert [block.kind for block in made] == [BlockKind.POLICY_SWITCH]


def test_a_narrower_policy_stops_a_feed_between_two_batches() -> None:
    """After the switch nothing is decided by the old policy, and a feed that comes back goes on counting."""
    world = decided(4)
    seen = len(views(world, BENEFITS))
    world.policy = policy(2, (STATISTICS,))
    for number in range(10, 14):
        world.publish(event(number))
    world.loop.drain()
    assert len(views(world, BENEFITS)) == seen

    world.policy = policy(3)
    world.publish(event(20))
    world.loop.drain()
    account(world)
    assert len(views(world, BENEFITS)) == seen + 1


def test_an_inbox_that_leaves_the_policy_is_acknowledged_too() -> None:
    """The worker that owns its partitions says so in their chains, and goes on."""
    world = decided(4)
    world.policy = policy(2).model_copy(update={"inboxes": (), "views": ()})
    world.loop.turn()

    assert {(made[-1].kind, made[-1].policy_version) for made in (blocks(world, 0), blocks(world, 1))} == {
        (BlockKind.POLICY_SWITCH, 2)
    }
    assert list(world.loop.handler.inboxes()) == []


def test_a_worker_behind_the_last_block_takes_up_the_newer_policy_or_stops() -> None:
    """A partition never goes back to an older policy."""
    world = decided()
    world.policy = policy(2)
    world.loop.drain()
    positions = list(world.log.positions.values())
    newest = world.policy
    world.policy = policy(1)
    behind = world.make()
    with pytest.raises(Fatal, match="made by policy 2"):
        behind.take(positions)

    behind = world.make()
    world.policy = newest
    behind.take(positions)
    assert behind.policy.version == 2
    assert behind.idle(world.clock.now_ms()) is None


def test_a_policy_that_goes_back_or_cannot_be_compiled_is_fatal() -> None:
    """A worker that cannot load the policy stops."""
    world = decided()
    world.policy = policy(2)
    world.loop.drain()
    world.policy = policy(1)
    with pytest.raises(Fatal, match="went back"):
        world.loop.turn()

    def refuse(*_arguments: object) -> None:
        raise ValueError("a value")

    world = World(policy(2))
    world.factory = refuse  # type: ignore[assignment]
    with pytest.raises(Fatal, match=r"cannot be compiled \(ValueError\)$"):
        world.make()


def test_a_larger_window_is_read_from_the_log_at_the_switch() -> None:
    """The new definition holds from the next batch on, as it would after a restart."""
    world = World(policy(window=1))
    for number in (0, 4, 8):
        world.publish(event(number))
    world.loop.drain()
    world.policy = policy(2, window=50)
    world.publish(event(0))
    world.loop.drain()

    assert account(world) == {"delivered": 3, "duplicate": 1}


def test_a_successor_knows_what_stands_in_the_window() -> None:
    """After a restart, and after a partition changed hands, a repeat is still a duplicate, up to the window's edge."""
    world = World(policy(window=4))
    for number in (0, 4, 8):
        world.publish(event(number))
    world.loop.drain()
    world.loop.restart()
    world.publish(event(0))
    world.loop.drain()
    world.loop.handler.give([ZERO, ONE])
    world.loop.take([ZERO, ONE])
    world.publish(event(4))
    world.publish(event(8))
    world.publish(event(0, record_version=2))
    world.loop.drain()
    world.loop.restart()
    world.publish(event(8))
    world.publish(event(4, record_version=3))
    world.publish(event(12))
    world.publish(event(20, record_version=2))
    world.publish(event(4, record_version=4))
    world.publish(event(0))
    world.loop.drain()
    made = [entry.outcome.value for _, entry in sorted(entries(world).items())]

    assert made[3:9] == ["DUPLICATE", "DUPLICATE", "DUPLICATE", "REJECTED", "DUPLICATE", "REJECTED"]
    assert made[9:] == ["DELIVERED", "DELIVERED", "REJECTED", "DELIVERED"]


def test_records_that_are_not_ours_to_decide_are_fatal() -> None:
    """A partition given away, and offsets that go back."""
    world = decided()
    record = InboxRecord(INBOX, 0, 0, 0, None, None)
    with pytest.raises(Fatal, match="go back"):
        world.loop.handler.decide([record], 0)
    world.loop.handler.give([ZERO])
    with pytest.raises(Fatal, match="not owned"):
        world.loop.handler.decide([record], 0)


def test_metrics_count_what_was_committed() -> None:
    """An aborted batch is counted as an abort only."""
    world = World()
    for number in range(4):
        world.publish(event(number))
    world.publish(event(0))
    world.loop.turn(fate=Fate.COMMIT)
    for number in range(4, 8):
        world.publish(event(number))
    world.loop.turn(fate=Fate.ABORT)
    store = world.metrics

    assert store.value(metrics.EVENTS, "death-registered", "delivered") == 4
    assert store.value(metrics.EVENTS, "death-registered", "duplicate") == 1
    assert store.value(metrics.DELIVERIES, "benefits", "death-registered", "delivered") == 4
    assert store.value(metrics.ABORTS) == 1
    assert store.value(metrics.BATCH_EVENTS) == 5
