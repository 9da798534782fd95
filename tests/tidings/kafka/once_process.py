"""One once-writer in a process of its own, which goes on from its position. It writes ten batches of `BATCH_RECORDS`
and dies by SIGKILL at a step, where the specification names one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from tests.forked import Forked, forks
from tests.tidings.kafka.process import at_step, describe, reach
from tidings.kafka.write_once import OnceWriter, Record

BATCHES = 10
BATCH_RECORDS = 20


@dataclass(frozen=True)
class Spec:
    """What such a writer does. `step` empty: nothing special; `committed` is after the whole call."""

    cluster: dict[str, Any]
    principal: str
    topic: str
    step: str = ""
    times: int = 4


def run(cluster: Any, principal: str, topic: str, **options: Any) -> int:
    """Run one to its end. Returns its exit code."""
    spec = Spec(describe(cluster), principal, topic, **options)
    return Forked(__name__, json.dumps(asdict(spec))).wait(120)


def batch(topic: str, number: int) -> list[Record]:
    """The records of one batch, over several keys."""
    first = number * BATCH_RECORDS
    return [Record(topic, b"k%d" % (at % 7), b"%d" % at) for at in range(first, first + BATCH_RECORDS)]


def main(text: str) -> None:
    """Write what is left to write."""
    spec = Spec(**json.loads(text))
    probe = at_step(spec.step, spec.times)
    with OnceWriter(reach(spec.cluster), spec.principal, "test", probe=probe) as writer:
        for number in range(int(writer.position() or 0), BATCHES):
            writer.write(batch(spec.topic, number), str(number + 1))
            probe("committed")


forks(__name__)
