"""Bounded reads on a real broker: what is committed, up to the end, and not beyond it."""

from __future__ import annotations

import threading

import pytest
from confluent_kafka import Producer

from tests.tidings.kafka.kit import PRINCIPAL, Log, numbers
from tidings.errors import Fatal
from tidings.kafka.read import read_to_end
from tidings.log import Partition

pytestmark = pytest.mark.broker


def transactional(log: Log) -> Producer:
    """A producer with a transaction open."""
    producer = Producer({**log.cluster.producer_config(PRINCIPAL), "transactional.id": f"reads-{log.name}"})
    producer.init_transactions(20)
    producer.begin_transaction()
    return producer


def values(log: Log, first: int, end: int) -> list[bytes | None]:
    """The values of a range of the one inbox."""
    return [record.value for record in log.reader.read_range(Partition(log.inboxes[0], 0), first, end)]


def test_a_range_ends_where_it_says(log: Log) -> None:
    """Records in [first, end) come in order, and nothing after; a first before the log's start is clamped."""
    log.set_up()
    log.publish(numbers(100))

    assert values(log, 10, 20) == numbers(10, 10)
    assert values(log, -5, 3) == numbers(3)
    assert values(log, 95, 100) == numbers(5, 95)
    assert values(log, 20, 20) == []


def test_aborted_records_are_not_read(log: Log) -> None:
    """What an aborted transaction wrote is no record, even at its own offset and at the very end."""
    log.set_up()
    log.publish(numbers(3))
    producer = transactional(log)
    producer.produce(log.inboxes[0], b"never", b"k", 0)
    producer.flush(10)
    producer.abort_transaction(10)

    assert [record.value for record in log.reader.read_to_end(log.inboxes[0])] == numbers(3)
    assert log.reader.record_at(Partition(log.inboxes[0], 0), 3) is None
    assert log.reader.record_at(Partition(log.inboxes[0], 0), 99) is None


def test_the_end_waits_for_open_transactions(log: Log) -> None:
    """A read to the end waits for a transaction begun before it, and sees it once it is committed."""
    log.set_up()
    log.publish(numbers(3))
    producer = transactional(log)
    producer.produce(log.inboxes[0], b"3", b"k", 0)
    producer.flush(10)
    seen: list[bytes | None] = []
    reading = threading.Thread(target=lambda: seen.extend(values(log, 0, 4)))
    reading.start()
    reading.join(1)
    waited = reading.is_alive()

    producer.commit_transaction(10)
    reading.join(20)

    assert waited
    assert seen == numbers(4)


def test_all_partitions_are_read(log: Log) -> None:
    """A topic of several partitions, some of them empty, is read whole."""
    log.make({f"many.{log.name}": 5})
    log.publish(numbers(30), [f"many.{log.name}"], 3)

    records = list(read_to_end(log.cluster, PRINCIPAL, f"many.{log.name}"))

    assert sorted(int(record.value or b"") for record in records) == list(range(30))
    assert {record.partition for record in records} == {0, 1, 2}


def test_an_unknown_topic_is_fatal(log: Log) -> None:
    """Reading a topic that is not there says so and names it."""
    with pytest.raises(Fatal, match="nowhere"):
        list(log.reader.read_to_end(f"nowhere.{log.name}"))
