"""One once-writer in a process of its own, which goes on from its position: `python -m tests.tidings.kafka.once_process
SPEC`. It writes ten batches of `BATCH_RECORDS` and dies by SIGKILL at a step, where the specification names one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

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
    command = [sys.executable, "-m", "tests.tidings.kafka.once_process", json.dumps(asdict(spec))]
    return subprocess.run(command, check=False, timeout=120).returncode


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


if __name__ == "__main__":
    main(sys.argv[1])
