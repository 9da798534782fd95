"""The four tests that every transactional loop needs, and what may never start silently."""

from __future__ import annotations

import pytest

from tests.tidings.kafka.kit import Log, Worker, eventually, numbers
from tidings.kafka.settings import LoopSettings
from tidings.log import Partition

pytestmark = pytest.mark.broker


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_committed_is_seen_with_its_offset_and_anchor(log: Log, protocol: str) -> None:
    """Every record is copied once and in order, and the offset and the anchor come with it, under both protocols."""
    log.set_up()
    log.publish(numbers(500))

    with Worker(log, settings=LoopSettings(group_protocol=protocol)):  # type: ignore[arg-type]
        eventually(lambda: log.copied_count() == 500, "500 copies")

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
