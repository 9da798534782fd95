"""One relay in a process of its own.

It dies by SIGKILL at a step of its own or of its writer, where the specification names one; else it goes on until
nothing waits, or for ever."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict, dataclass
from typing import Any

from producers.outbox.database import Connection, connect
from producers.outbox.metrics import OUTBOX_METRICS
from producers.outbox.relay import Relay, RelaySettings
from producers.outbox.run_relay import WRITER_SETTINGS, run_relay
from tests.forked import Forked, forks
from tests.producers.outbox.kit import AGENCY, judge
from tests.tidings.kafka.process import describe, reach
from tidings.clock import SystemClock
from tidings.kafka.cluster import Cluster
from tidings.kafka.write_once import OnceWriter
from tidings.metrics import MetricStore


@dataclass(frozen=True)
class Spec:
    """What such a relay does. `step`: `noted` or `written` of the relay, `produced` or `offsets` of its writer."""

    cluster: dict[str, Any]
    dsn: str
    step: str = ""
    times: int = 3
    until_empty: bool = True


def spawn(cluster: Cluster, dsn: str, **options: Any) -> Forked:
    """Start one. The caller waits for it, or kills it."""
    spec = Spec(describe(cluster), dsn, **options)
    return Forked(__name__, json.dumps(asdict(spec)))


def main(text: str) -> None:
    """Relay."""
    spec = Spec(**json.loads(text))
    cluster, clock, left = reach(spec.cluster), SystemClock(), spec.times

    def probe(step: str) -> None:
        nonlocal left
        left -= step == spec.step
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def writer(name: str) -> OnceWriter:
        return OnceWriter(cluster, AGENCY, name, clock=clock, settings=WRITER_SETTINGS, probe=probe)

    def relay(connection: Connection) -> Relay:
        settings = RelaySettings(batch_max_rows=25, look_seconds=0.2, until_empty=spec.until_empty)
        return Relay(connection, judge(), writer, clock, MetricStore(OUTBOX_METRICS), settings, probe)

    run_relay(lambda: connect(spec.dsn), relay, clock, lambda: True)


forks(__name__)
