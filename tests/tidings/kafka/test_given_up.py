"""A worker that the group gave up while it was busy: another has its partitions, and it does not know yet.

That is what a long pause of a process or a slow disk does. Here the client itself leaves the group, after a second
without a poll, and no session has to end first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import Consumer

from tests.eventually import eventually
from tests.tidings.kafka.kit import Copier, Log, Worker, numbers
from tidings.kafka.held import Held
from tidings.kafka.settings import LoopSettings
from tidings.log import Partition

pytestmark = pytest.mark.broker

SMALL = LoopSettings(batch_max_events=50, drain_max_events=50)
PATIENCE_S = 20.0


def lapsing(config: dict[str, Any]) -> dict[str, Any]:
    """The same consumer, as a dynamic member that leaves after a second without a poll."""
    return {name: value for name, value in config.items() if name != "group.instance.id"} | {
        "max.poll.interval.ms": 1_000
    }


def slow(busy: threading.Event, given_up: threading.Event) -> Callable[[dict[str, Any]], Consumer]:
    """Opens consumers that hand their first record over only once its partition is another's."""

    class Slow(Consumer):
        """See above."""

        def poll(self, *args: Any) -> Any:
            """See `Consumer.poll`."""
            polled = super().poll(*args)
            if polled is not None and polled.error() is None and not given_up.is_set():
                busy.set()
                assert given_up.wait(60)
            return polled

    return lambda config: Slow(lapsing(config))


def test_what_was_decided_before_is_not_committed_after(log: Log) -> None:
    """Given up between poll and commit: the broker refuses the offsets, since the group's metadata is from before."""
    log.set_up()
    log.publish(numbers(100))
    busy, given_up = threading.Event(), threading.Event()

    def pause(step: str) -> None:
        if step == "decided" and not given_up.is_set():
            busy.set()
            assert given_up.wait(60)

    with Worker(log, 0, settings=SMALL, consumer=lambda config: Consumer(lapsing(config)), probe=pause) as first:
        assert busy.wait(60)
        with Worker(log, 1) as second:
            eventually(lambda: log.finished() == 100, "the other worker's copies")
            given_up.set()
            eventually(lambda: first.handler.aborts > 0 or first.failure is not None, "a refusal", PATIENCE_S)

    assert (first.failure, second.failure) == (None, None)
    assert log.copied() == log.expected()


def test_what_was_polled_before_is_not_decided_after(log: Log) -> None:
    """One record polled, and the next call serves the loss of its partition: it is dropped, and the worker goes on."""
    log.set_up()
    log.publish(numbers(100))
    inbox = Partition(log.inboxes[0], 0)
    busy, given_up = threading.Event(), threading.Event()

    with Worker(log, 0, settings=SMALL, consumer=slow(busy, given_up)) as first:
        assert busy.wait(60)
        with Worker(log, 1) as second:
            eventually(lambda: log.finished() == 100, "the other worker's copies")
            given_up.set()
            eventually(lambda: inbox in first.handler.given or first.failure is not None, "the loss", PATIENCE_S)
            turns = len(first.snapshots)
            eventually(lambda: len(first.snapshots) > turns + 2 or first.failure is not None, "more turns", PATIENCE_S)

    assert (first.failure, second.failure) == (None, None)
    assert first.handler.batches == []
    assert log.copied() == log.expected()


def test_the_group_s_metadata_is_from_before_the_poll(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were such a record kept after all, the broker would refuse it, though the worker is a member again by then.

    The guard of the test above is taken away here. With metadata from after the poll the record would come twice.
    """

    class Keeping(Copier):
        """Goes on with what it gave up."""

        def give(self, partitions: Sequence[Partition]) -> None:
            """See `Handler`."""
            self.given.extend(partitions)

    log.set_up()
    log.publish(numbers(100))
    busy, given_up = threading.Event(), threading.Event()
    monkeypatch.setattr(Held, "clear", lambda _held: set())

    def join_again(step: str) -> None:
        # The client does so by itself; after a second without a poll it would leave again.
        end = time.monotonic() + 0.7
        while step == "decided" and log.members() < 2 and time.monotonic() < end:
            time.sleep(0.02)

    handler = Keeping(log)
    with Worker(log, 0, settings=SMALL, consumer=slow(busy, given_up), handler=handler, probe=join_again) as first:
        assert busy.wait(60)
        with Worker(log, 1) as second:
            eventually(lambda: log.finished() == 100, "the other worker's copies")
            given_up.set()
            eventually(lambda: handler.aborts > 0 or first.failure is not None, "a refusal", PATIENCE_S)

    assert (first.failure, second.failure) == (None, None)
    assert handler.batches
    assert log.copied() == log.expected()
