"""The floor: the bare transactional loop with equal fan-out and constant payloads of the views' mean size.

In its cheapest arrangement: where the measuring build of the native extension is there (`benchmarks.native`), it calls
`produce()` a view; else Python does, and the table says so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from confluent_kafka import Message, Producer

from benchmarks.contender import Contender
from benchmarks.contenders._loop import run_loop, send
from benchmarks.native import measuring_build, why_not_built
from benchmarks.task import Task, read_task


def _remark() -> str:
    return "; produce() called from " + ("Python: no measuring build" if why_not_built() else "native code")


CONTENDER = Contender(
    name="floor",
    what="bare transactional client loop, equal fan-out, constant payloads: computes nothing",
    events=1_000_000,
    order=0,
    remark=_remark,
    checked=False,
    smoke=True,
)


def _payloads(task: Task) -> list[tuple[str, bytes, bytes]]:
    return [(view.feed, bytes(view.value_size), bytes(view.key_size)) for view in task.views]


def _from_python(task: Task, batch: Sequence[Message], producer: Producer) -> None:
    partition = batch[0].partition()
    for feed, value, key in _payloads(task):
        for _ in batch:
            send(producer.produce, producer, feed, value, key, partition)


def main() -> None:
    """Run the task of the command line."""
    task = read_task(sys.argv[1])
    native = measuring_build()

    def from_native(batch: Sequence[Message], producer: Producer) -> None:
        for feed, value, key in _payloads(task):
            constant = native.Constant(feed, batch[0].partition(), key, value, len(batch))
            send(constant.send, producer, producer.produce)

    def from_python(batch: Sequence[Message], producer: Producer) -> None:
        _from_python(task, batch, producer)

    run_loop(task, from_native if native else from_python)


if __name__ == "__main__":
    main()
