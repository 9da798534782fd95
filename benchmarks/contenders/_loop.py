"""The bare transactional loop, as one writes it by hand with confluent-kafka: consume, produce, offsets, commit.

Its clients have the settings of the exchange's (`tidings.kafka.clients`), so that what differs is what is done between
consuming and committing. It does not recover from anything: it is here to be measured.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from benchmarks.task import Task

BATCH_EVENTS = 20_000
_CALL_S = 30.0

Handle = Callable[[Sequence[Message], Producer], None]
"""Produces all that follows from a batch of one partition."""


def run_loop(task: Task, handle: Handle) -> None:
    """Read the inbox from its start until SIGTERM."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    consumer = Consumer(
        {
            **task.clients,
            "group.id": task.group,
            "group.protocol": "consumer",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 5,
        }
    )
    producer = Producer(
        {
            **task.clients,
            "transactional.id": f"{task.group}-{task.slot}",
            "linger.ms": 0,
            "compression.type": "lz4",
            "retry.backoff.ms": 2,
            "queue.buffering.max.messages": 100_000,
            "queue.buffering.max.kbytes": 262_144,
        }
    )
    producer.init_transactions(_CALL_S)
    consumer.subscribe([task.inbox])
    gc.freeze()
    while not stopping:
        first = consumer.poll(0.1)
        if first is None:
            continue
        batch = _sound([first, *consumer.consume(BATCH_EVENTS - 1, 0)])
        for part in _by_partition(batch):
            _transact(part, consumer, producer, handle)
    consumer.close()


def send(produce: Callable[..., Any], producer: Producer, *message: Any) -> None:
    """Produce one message, waiting while the queue is full."""
    while True:
        try:
            produce(*message)
        except BufferError:
            producer.poll(0.01)
        else:
            return


def _transact(part: Sequence[Message], consumer: Consumer, producer: Producer, handle: Handle) -> None:
    last = part[-1]
    producer.begin_transaction()
    handle(part, producer)
    done = TopicPartition(str(last.topic()), last.partition() or 0, (last.offset() or 0) + 1)
    producer.send_offsets_to_transaction([done], consumer.consumer_group_metadata(), _CALL_S)
    producer.commit_transaction(_CALL_S)


def _sound(polled: Sequence[Message]) -> Sequence[Message]:
    for message in polled:
        error: KafkaError | None = message.error()
        if error is not None:
            raise SystemExit(f"reading: {error.name()}")
    return polled


def _by_partition(batch: Sequence[Message]) -> list[Sequence[Message]]:
    numbers = {message.partition() or 0 for message in batch}
    if len(numbers) == 1:
        return [batch]
    return [[message for message in batch if message.partition() == number] for number in sorted(numbers)]
