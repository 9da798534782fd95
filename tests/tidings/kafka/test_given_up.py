"""A worker that the group gave up while it was busy: another has its partitions, and it does not know yet.

That is what a long pause of a process or a slow disk does. Here the client itself leaves the group, after a second
without a poll, and no session has to end first.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest
from confluent_kafka import Consumer

from tests.tidings.kafka.kit import Log, Worker, eventually, numbers
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

    class Slow(Consumer):
        """Hands its first record over only once its partition is another's."""

        def poll(self, *args: Any) -> Any:
            """See `Consumer.poll`."""
            polled = super().poll(*args)
            if polled is not None and polled.error() is None and not given_up.is_set():
                busy.set()
                assert given_up.wait(60)
            return polled

    with Worker(log, 0, settings=SMALL, consumer=lambda config: Slow(lapsing(config))) as first:
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
