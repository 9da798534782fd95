"""Generated Python on whole batches against the reference: the same records in, the same bytes in every topic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stream_processors.executors import PYTHON, executors
from stream_processors.feed_run import FeedRun
from stream_processors.generated import GeneratedInbox
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
from tests.stream_processors.world import INBOX, KEYS, World, event, key, policy, reference, value
from tidings import topics
from tidings.deduplication import Window
from tidings.log import InboxRecord, Partition
from tidings.policy.model import Inbox, Policy, View
from tidings.projection.generate_projector import GeneratedProjector

generated = executors(KEYS, PYTHON).factory
FACTORIES = (reference, generated)
NOW_MS = 1_780_400_000_000


def _engine(made: Policy) -> GeneratedInbox:
    projector = generated(made, made.inboxes[0], made.views)
    assert isinstance(projector, GeneratedProjector)
    return GeneratedInbox(projector, made.inboxes[0], made.views, made.environment.value)


@pytest.mark.parametrize("seed", range(3))
def test_every_topic_holds_the_same_bytes(seed: int) -> None:
    """Feeds, blocks, nonces, notices and quarantine are the reference's, record by record, whatever was published."""
    made = []
    for factory in FACTORIES:
        world = World(factory=factory, random_bytes=nonces(seed))
        publish(world, seed, 70)
        world.loop.drain(limit=37)
        made.append(all_topics(world))
    assert made[0] == made[1]
    assert len(made[0][topics.DECISIONS]) > 3


@pytest.mark.parametrize("seed", range(2))
def test_views_that_are_held_are_the_same_bytes(seed: int) -> None:
    """What waits, its decisions and counts, beside a feed that does not wait."""
    made = []
    for factory in FACTORIES:
        world = HeldWorld(factory=factory, random_bytes=nonces(seed))
        made.append(held(world, seed))
    assert made[0] == made[1]
    assert made[0][0][HELD]


def test_a_stopped_publisher_is_refused_alike() -> None:
    """Of a stopped inbox nothing is delivered, whoever decides."""
    made = []
    for factory in FACTORIES:
        world = World(factory=factory)
        made.append(stopped(world))
    assert made[0] == made[1]


@pytest.mark.parametrize("fate", list(Fate))
def test_a_batch_that_fails_is_decided_again_alike(fate: Fate) -> None:
    """After an abort or a crash the window, the chain and the sequences are what they would be by the reference."""
    made = []
    for factory in FACTORIES:
        world = World(factory=factory, random_bytes=nonces(1))
        made.append(failed(world, fate))
    assert made[0] == made[1]


def test_events_of_an_older_version_are_the_same_bytes() -> None:
    """Among those of today, sound and unsound; and the sound ones need no stage."""
    made = []
    policy_then, schema = older()
    for factory in FACTORIES:
        world = World(policy_then, factory=factory)
        made.append(mixed(world, schema, 30))
    assert made[0] == made[1]
    records = [InboxRecord(INBOX, 0, at, 0, key(each), under(schema, each)) for at, each in enumerate(sound())]
    assert _engine(policy_then).weigh(Partition(INBOX, 0), records, Window(50), b"\1\1\2\0", NOW_MS).deferred == []


def test_no_event_of_a_sound_batch_needs_the_stages() -> None:
    """What is deferred is the exception."""
    records = [InboxRecord(INBOX, 0, at, 0, key(each), value(each)) for at, each in enumerate(sound())]
    weighed = _engine(policy()).weigh(Partition(INBOX, 0), records, Window(50), b"\1\1\2\0", NOW_MS)
    assert len(records) > 3
    assert weighed.deferred == []


def test_an_event_on_which_our_code_fails_is_quarantined_alone() -> None:
    """Its neighbours in the batch are delivered as if it were not there."""
    made = []
    for whole_batches in (False, True):
        world = World(factory=lambda *args, whole=whole_batches: _failing(*args, whole=whole))
        for number in range(8):
            world.publish(event(number, **({"change": "CORRECTED"} if number == 3 else {})))
        world.loop.drain()
        made.append(all_topics(world))
    assert made[0] == made[1]
    assert len(made[0][topics.QUARANTINE]) == 1


def _failing(made: Policy, inbox: Inbox, views: tuple[View, ...], *, whole: bool) -> Any:
    """A projector, for whole batches or not, of which the first view fails on corrections."""
    projector = generated(made, inbox, views)
    assert isinstance(projector, GeneratedProjector)
    inner = projector.made.views[views[0].feed]
    change = projector.made.head.change
    assert inner is not None

    def make(events: Any, flags: Any) -> Any:
        if any(body[places[change]] == 4 for body, places, _ in events):
            raise RuntimeError
        return inner(events, flags)

    failing = GeneratedProjector(
        projector._reference, replace(projector.made, views={**projector.made.views, views[0].feed: make}), {}
    )
    return failing if whole else _Singly(failing)


class _Singly:
    """A projector that is asked about one event at a time."""

    def __init__(self, inner: GeneratedProjector) -> None:
        self.scan, self.findings, self.decide = inner.scan, inner.findings, inner.decide


def test_a_run_goes_on_with_the_message_that_was_refused() -> None:
    """Whatever was raised passes; nothing is sent twice, nothing left out."""
    run = FeedRun("feed", 1, [b"a", b"b", b"c"], [b"1", b"2", b"3"])
    sent: list[tuple[str, bytes, bytes, int]] = []
    refused = [b"2", b"2", b"3"]

    def produce(topic: str, message: bytes, its_key: bytes, partition: int) -> None:
        if refused and message == refused[0]:
            del refused[0]
            raise BufferError
        sent.append((topic, message, its_key, partition))

    for _ in range(3):
        with pytest.raises(BufferError):
            run.send(produce)
    run.send(produce)
    run.send(produce)
    assert sent == [("feed", b"1", b"a", 1), ("feed", b"2", b"b", 1), ("feed", b"3", b"c", 1)]
    assert [(each.key, each.value) for each in run] == [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")]
