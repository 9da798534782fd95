"""The parts of the demo that run: the stack, the policy, the workers, the publishers."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from commands._demo_watch import ready
from deploy.local.beside import DRAIN_SECONDS, remember
from deploy.local.ports import choose, is_free
from deploy.local.processes import Process, spawn, stop
from deploy.prometheus.observe import TARGETS
from tidings.clock import Clock, Deadline
from tidings.errors import Fatal
from tidings.kafka.cluster import Cluster
from tidings.policy.model import Policy

WORKERS = 2
_START_SECONDS = 60.0
_YEAR_MS = 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Workers:
    """The exchange as it runs: its supervisor's process and the health port of each worker."""

    process: Process
    ports: tuple[int, ...]


@contextmanager
def workers(cluster_file: Path, log: Path, policy: Policy, clock: Clock, *, keep: bool) -> Iterator[Workers]:
    """The exchange's workers, ready and owning every inbox. They are drained at the end unless `keep`.

    Raises Fatal where they do not come up.
    """
    ports = choose_block(WORKERS)
    command = [sys.executable, "-m", "commands", "run", "exchange", "--workers", str(WORKERS)]
    command += ["--cluster", str(cluster_file), "--health-port", str(ports[0])]
    command += ["--targets", str(cluster_file.parent / TARGETS)]
    running = Workers(spawn("exchange", command, log, cwd=Path.cwd()), ports)
    kept = False
    try:
        _wait_ready(running, policy, log, clock)
        yield running
        kept = keep
    finally:
        if kept:
            remember(cluster_file.parent, running.process)
        else:
            stop([running.process], DRAIN_SECONDS, clock)


def choose_block(count: int) -> tuple[int, ...]:
    """`count` free ports in a row on loopback."""
    while True:
        [first] = choose([None])
        block = tuple(range(first, first + count))
        if all(map(is_free, block)):
            return block


def _wait_ready(running: Workers, policy: Policy, log: Path, clock: Clock) -> None:
    partitions = sum(inbox.partitions for inbox in policy.inboxes)
    deadline = Deadline(clock, _START_SECONDS)
    while not ready(running.ports, partitions):
        if not running.process.running() or deadline.expired():
            raise Fatal(f"the exchange's workers did not come up; see {log}")
        clock.sleep(0.2)


def publish_file(cluster: Cluster, path: Path, agency: str) -> tuple[int, int]:
    """Publish one example file as `agency`. Returns how many records were sent, and how many were refused before."""
    from commands._account import FileAccount
    from commands._judge import judge
    from connectors import SNIFFED_BYTES, find_source
    from connectors.sources.base import SourceContext
    from producers.publisher import EventPublisher

    with EventPublisher(cluster, agency) as publisher, path.open("rb") as file:
        connector = find_source(path.name, file.read(SNIFFED_BYTES), None)
        file.seek(0)
        account = FileAccount(path.name, connector.spec.name)
        taken_in_ms = path.stat().st_mtime_ns // 1_000_000
        outcomes = connector.read(file, SourceContext(path.name, agency, cluster.environment.value, taken_in_ms))
        for ordinal, outcome in enumerate(outcomes, 1):
            record, wire = judge(ordinal, outcome, publisher)
            account.take(record)
            if wire is not None:
                publisher.send(wire)
        publisher.flush()
    return account.published, account.refused_records


def publish_population(
    cluster: Cluster, events: int, seed: int, rate: float, clock: Clock, progress: Callable[[int], None]
) -> Counter[str]:
    """Publish simulated events at `rate` a second. Returns what the exchange must make of them, by outcome.

    `progress` hears how many have been sent, a few times a second.
    """
    from producers.publisher import EventPublisher
    from producers.simulator import Settings, simulate

    publishers: dict[str, EventPublisher] = {}
    expected: Counter[str] = Counter()
    # Ten people for each event, so that the last one is a few months after the first.
    settings = Settings(seed=seed, people=max(20_000, 10 * events), start_ms=clock.now_ms() - _YEAR_MS)
    began = clock.monotonic()
    for number, each in enumerate(simulate(events, settings), 1):
        if each.agency not in publishers:
            publishers[each.agency] = EventPublisher(cluster, each.agency)
        publishers[each.agency].send(each.wire(publishers[each.agency].encoder(each.event_type)))
        expected[each.expected] += 1
        clock.sleep(max(0.0, began + number / rate - clock.monotonic()))
        if number % 50 == 0:
            progress(number)
    for publisher in publishers.values():
        publisher.flush()
    progress(events)
    return expected
