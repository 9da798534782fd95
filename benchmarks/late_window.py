"""`python -m benchmarks.late_window CLUSTER TARGETS`: the correction window as `tidings run` has it, a day ahead of the
clock, so that whatever waits is due."""

from __future__ import annotations

import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from stream_processors.correction_window.on_broker import correction_window_handler
from tidings.clock import SystemClock
from tidings.deployment import CORRECTION_WINDOW, slot_name
from tidings.kafka.cluster import Cluster
from tidings.kafka.policy_store import PolicyReader
from tidings.kafka.read import LogReader
from tidings.kafka.worker import Place, run_worker
from tidings.logs import configure

DAY_MS = 86_400_000


class LateClock(SystemClock):
    """A day ahead."""

    def now_ms(self) -> int:
        """See `Clock.now_ms`."""
        return super().now_ms() + DAY_MS


def main() -> int:
    """Run until SIGTERM."""
    where, targets = Cluster.load(Path(sys.argv[1])), Path(sys.argv[2])
    configure(CORRECTION_WINDOW)
    place, registry = Place(0, CORRECTION_WINDOW, 0, 0, targets, part=CORRECTION_WINDOW), CollectorRegistry()
    worker = slot_name(where.deployment, 0, CORRECTION_WINDOW)
    with LogReader(where, place.principal) as reader, PolicyReader(where, place.principal) as policies:
        handler = correction_window_handler(worker, reader, policies, registry)
        return run_worker(where, place, handler, clock=LateClock(), registry=registry)


if __name__ == "__main__":
    sys.exit(main())
