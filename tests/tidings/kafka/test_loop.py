"""The four tests that every transactional loop needs, and what may never start silently."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from confluent_kafka import Consumer

from tests.eventually import eventually
from tests.tidings.kafka.kit import Copier, Log, Worker, numbers
from tidings.kafka.settings import LoopSettings
from tidings.log import Partition

pytestmark = pytest.mark.broker


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_committed_is_seen_with_its_offset_and_anchor(log: Log, protocol: str) -> None:
    """Every record is copied once and in order, and the offset and the anchor come with it, under both protocols.

    Only the loop's thread touches the consumer meanwhile: another's call during a poll hung the process for good.
    """
    log.set_up()
    log.publish(numbers(500))
    threads: set[int] = set()

    class Watched(Consumer):
        """Notes in which threads it is called."""

        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)

            def called(*args: Any, **more: Any) -> Any:
                threads.add(threading.get_ident())
                return found(*args, **more)

            return called if callable(found) else found

    settings = LoopSettings(group_protocol=protocol)  # type: ignore[arg-type]
    with Worker(log, settings=settings, consumer=Watched) as worker:
        eventually(lambda: log.copied_count() == 500, "500 copies")
        assert worker.partitions == {Partition(log.inboxes[0], 0)}

    assert threads == {worker.thread.ident}
    assert log.expected() == log.copied()
    offset, anchor = log.committed(Partition(log.inboxes[0], 0))
    assert offset == 500
    assert anchor.split(":")[0] == "0"


def test_a_worker_goes_on_from_the_anchor(log: Log) -> None:
    """The successor takes the sequence from the block at the committed anchor: no gap and no repeat."""
    log.set_up()
    log.publish(numbers(100))
    with Worker(log):
        eventually(lambda: log.copied_count() == 100, "the first hundred")
    log.publish(numbers(100, 100))

    with Worker(log, 0) as second:  # the slot that was left; another would wait for the end of its session
        eventually(lambda: log.copied_count() == 200, "the second hundred")

    assert log.expected() == log.copied()
    assert [position.offset for position in second.handler.taken] == [100]


def test_a_batch_is_bounded_by_the_messages_that_it_makes(log: Log) -> None:
    """Five messages an event and fifty a transaction: after the first batch, which shows the rate, ten events each."""
    log.set_up()
    log.publish(numbers(100))
    handler = Copier(log, factor=5)

    with Worker(log, handler=handler, settings=LoopSettings(batch_max_events=40, batch_max_messages=50)):
        eventually(lambda: log.finished() == 100, "all records")

    first, *others = [len(batch) for batch in handler.batches]
    assert handler.aborts == 0
    assert first <= 40
    assert max(others) <= 10
    assert first + sum(others) == 100
