"""What one writes first: the bare loop, fastavro to decode, dictionaries, fastavro to encode."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from confluent_kafka import Message, Producer

from benchmarks.contender import Contender
from benchmarks.contenders._by_hand import views_by_hand
from benchmarks.contenders._loop import run_loop, send
from benchmarks.task import read_task

CONTENDER = Contender(
    name="fastavro-loop",
    what="the same loop written by hand: fastavro decodes, dictionaries, fastavro encodes",
    events=60_000,
    order=5,
    smoke=True,
)


def main() -> None:
    """Run the task of the command line."""
    task = read_task(sys.argv[1])
    make = views_by_hand(task)

    def handle(batch: Sequence[Message], producer: Producer) -> None:
        for message in batch:
            for feed, key, value in make(message.value()):
                send(producer.produce, producer, feed, value, key, message.partition())

    run_loop(task, handle)


if __name__ == "__main__":
    main()
