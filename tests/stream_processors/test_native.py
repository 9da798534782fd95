"""The native executor against the reference, whole: the same records in, the same bytes in every topic."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from stream_processors.compiled import NativeFactory, no_native
from tests.memory_log import Fate
from tests.stream_processors.correction_window.kit import HELD, HeldWorld
from tests.stream_processors.scenes import (
    all_topics,
    failed,
    held,
    mixed,
    nonces,
    older,
    publish,
    sound,
    stopped,
    under,
)
from tests.stream_processors.world import INBOX, KEYS, SUBJECTS, World, by_native, event, key, policy, value
from tidings import topics
from tidings.partitions import partition_of
from tidings.policy.model import Inbox, Policy, View
from tidings.projection.explain import STOPPED
from tidings.projection.native import NativeInbox, native_version
from tidings.projection.program import inbox_program

_BUILT = native_version() is not None
pytestmark = pytest.mark.skipif(
    not _BUILT and "TIDINGS_REQUIRE_NATIVE" not in os.environ, reason="the native extension is not built: make native"
)

Change = dict[str, Any]


def _world(native: NativeFactory, seed: int) -> World:
    return World(random_bytes=nonces(seed), native=native)


def _by_every_processor(made: Policy, inbox: Inbox, views: tuple[View, ...]) -> NativeInbox | str:
    """The native executor, which spreads even small batches."""
    program = inbox_program(inbox, views, made.environment.value, made.version)
    return STOPPED if inbox.stopped else NativeInbox(program, KEYS, events_a_thread=5)


@pytest.mark.parametrize("seed", range(12))
def test_every_topic_holds_the_same_bytes(seed: int) -> None:
    """Feeds, blocks, nonces, notices and quarantine are the reference's, record by record, whatever was published."""
    made = []
    for native in (no_native, by_native, _by_every_processor):
        world = _world(native, seed)
        publish(world, seed, 120)
        world.loop.drain(limit=37)
        made.append(all_topics(world))
    assert made[0] == made[1] == made[2]
    assert len(made[0][topics.DECISIONS]) > 3


@pytest.mark.parametrize("seed", range(4))
def test_views_that_are_held_are_the_same_bytes(seed: int) -> None:
    """What waits, its decisions and counts, beside a feed that does not wait; by the extension alone."""
    made = []
    for native in (no_native, by_native):
        world = HeldWorld(native=native, random_bytes=nonces(seed))
        made.append(held(world, seed))
    assert made[0] == made[1]
    assert made[0][0][HELD]
    assert made[0][1][0] > 0
    said = world.make().executors()[INBOX]
    if "TIDINGS_REQUIRE_NATIVE" not in os.environ and "before views could be held" in said["why_not_native"]:
        pytest.skip(said["why_not_native"])
    assert said["executor"] == "native"


def test_a_stopped_publisher_is_refused_alike() -> None:
    """Of a stopped inbox nothing is delivered, whoever decides."""
    made = []
    for native in (no_native, by_native):
        world = _world(native, 3)
        made.append(stopped(world))
    assert made[0] == made[1]


@pytest.mark.parametrize("fate", list(Fate))
def test_a_batch_that_fails_is_decided_again_alike(fate: Fate) -> None:
    """After an abort or a crash the window, the chain and the sequences are what they would be by the reference."""
    made = []
    for native in (no_native, by_native):
        world = _world(native, 1)
        made.append(failed(world, fate))
    assert made[0] == made[1]


def test_what_python_fails_on_is_quarantined_in_its_place() -> None:
    """A deferred event on which our own code fails is quarantined; its neighbours, decided natively, are delivered."""

    def worlds(native: NativeFactory) -> World:
        world = World(factory=_failing(world_factory()), native=native)
        for number in range(8):
            record = event(number, **({"deceased": None, "change": "ANNULLED"} if number == 3 else {}))
            if number == 3:
                record["subject"] = {"scheme": "gro_registration", "value": "\u00e9"}
            world.publish(record)
        world.loop.drain()
        return world

    assert all_topics(worlds(no_native)) == all_topics(worlds(by_native))


def world_factory() -> Callable[..., Any]:
    """The reference projector's factory."""
    from tests.stream_processors.world import reference

    return reference


def _failing(factory: Callable[..., Any]) -> Callable[..., Any]:
    """A factory whose projectors fail on what is not ASCII."""

    class Failing:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def scan(self, schema_id: int, body: bytes) -> Any:
            return self._inner.scan(schema_id, body)

        def findings(self, scan: Any, now_ms: int) -> Any:
            return self._inner.findings(scan, now_ms)

        def decide(self, scan: Any, view: Any, flags: Any) -> Any:
            if not scan.subject[1].isascii():
                raise RuntimeError
            return self._inner.decide(scan, view, flags)

    return lambda *args: Failing(factory(*args))


def test_events_of_an_older_version_are_the_same_bytes() -> None:
    """Among those of today, sound and unsound; and the sound ones never reach Python."""
    from tidings.log import InboxRecord, Partition
    from tidings.projection.native import NativeWindow

    made = []
    policy_then, schema = older()
    for native in (no_native, by_native):
        world = World(policy_then, native=native)
        made.append(mixed(world, schema, 60))
    engine = by_native(policy_then, policy_then.inboxes[0], policy_then.views)
    assert made[0] == made[1]
    assert not isinstance(engine, str)
    if engine.resolves:
        records = [InboxRecord(INBOX, 0, at, 0, key(each), under(schema, each)) for at, each in enumerate(sound())]
        weighed = engine.weigh(Partition(INBOX, 0), records, NativeWindow(50), b"\1\1\2\0", 1_780_400_000_000)
        assert weighed.deferred == []


def test_most_of_a_sound_batch_never_reaches_python() -> None:
    """What is deferred is the exception: of sound events none is."""
    from tests.stream_processors.world import INBOX, SCHEMA_ID, key
    from tidings.log import InboxRecord, Partition
    from tidings.projection.native import NativeWindow

    made = policy()
    engine = by_native(made, made.inboxes[0], made.views)
    assert engine is not None
    assert engine.unproven() == []
    records = []
    for number in range(200):
        record = event(number, subject={"scheme": "nhs_number", "value": SUBJECTS[number % 4]})
        if partition_of(key(record), 2) == 0:
            records.append(InboxRecord(INBOX, 0, number, 0, key(record), value(record, SCHEMA_ID)))
    weighed = engine.weigh(Partition(INBOX, 0), records, NativeWindow(50), b"\x01\x01\x02\x00", 1_780_400_000_000)
    assert records
    assert weighed.deferred == []
