"""How fast one worker empties a full inbox, by executor of the projection: one partition in, three feeds out, TLS on.

The inbox is filled first; what is measured begins when the worker's first batch is committed and ends with its last.
CPU is the worker process's own. The broker shares the machine.

    python -m benchmarks.throughput --events 200000 --rounds 5 --kinds native,python,reference
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import typer
from prometheus_client import CollectorRegistry

from benchmarks.site import ADMIN, Site, events, site
from producers.encode import WireEvent
from stream_processors.handler import exchange_handler
from tidings.kafka.cluster import Cluster
from tidings.kafka.policy_store import PolicyReader
from tidings.kafka.produce import RecordProducer
from tidings.kafka.read import LogReader
from tidings.kafka.snapshot import Snapshot
from tidings.kafka.worker import Place, run_worker


@dataclass(frozen=True, slots=True)
class Round:
    """One worker over one full inbox."""

    kind: str
    events: int
    seconds: float
    cpu_seconds: float

    @property
    def events_per_second(self) -> float:
        """Events decided and committed a second."""
        return self.events / self.seconds

    @property
    def cpu_us_per_event(self) -> float:
        """The worker's CPU time, in microseconds an event."""
        return self.cpu_seconds / self.events * 1e6


def empty_the_inbox(cluster_file: str, kind: str, wanted: int, profile: str | None, pipe: Connection) -> None:
    """The worker's process: runs until `wanted` events are committed, and tells what it took."""
    seen: list[tuple[int, float, float]] = []

    def observe(snapshot: Snapshot) -> None:
        if snapshot.events and (not seen or seen[-1][0] != snapshot.events):
            seen.append((snapshot.events, time.perf_counter(), time.process_time()))
        if snapshot.events >= wanted:
            os.kill(os.getpid(), signal.SIGTERM)

    cluster = Cluster.load(Path(cluster_file))
    registry = CollectorRegistry()
    with LogReader(cluster, "exchange") as reader, PolicyReader(cluster, "exchange") as policies:
        handler = exchange_handler(
            cluster, 0, worker="bench", reader=reader, policies=policies, registry=registry, projection=kind
        )
        if profile:
            import cProfile

            cProfile.runctx(
                "run_worker(cluster, Place(0), handler, registry=registry, observer=observe)",
                globals(),
                {"cluster": cluster, "handler": handler, "registry": registry, "observe": observe},
                profile,
            )
        else:
            run_worker(cluster, Place(0), handler, registry=registry, observer=observe)
    (first, began, cpu), (last, ended, cpu_at_end) = seen[0], seen[-1]
    pipe.send(Round(kind, last - first, ended - began, cpu_at_end - cpu))


def fill(made: Site, records: Sequence[WireEvent]) -> None:
    """Put the records into the one partition, as fast as they go."""
    producer = RecordProducer(made.cluster, ADMIN)
    for record in records:
        producer.send(record.topic, record.key, record.value, lambda _error: None)
    producer.flush()


def measure(made: Site, kind: str, records: Sequence[WireEvent], profile: str | None = None) -> Round:
    """One round. Raises EOFError where the worker died."""
    fill(made, records)
    ours, theirs = multiprocessing.Pipe()
    arguments = (str(made.cluster_file), kind, len(records), profile, theirs)
    worker = multiprocessing.get_context("spawn").Process(target=empty_the_inbox, args=arguments)
    worker.start()
    theirs.close()
    found = ours.recv()
    worker.join()
    assert isinstance(found, Round)  # noqa: S101 -- what the worker's process sends
    return found


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default="native,python,reference")
    parser.add_argument("--profile", help="where cProfile writes (it doubles the cost of Python)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    kinds = options.kinds.split(",")
    rounds: list[Round] = []
    with site() as made:
        whole = events(made, options.events * options.rounds * len(kinds))
        for number in range(options.rounds * len(kinds)):
            part = whole[number * options.events : (number + 1) * options.events]
            rounds.append(measure(made, kinds[number % len(kinds)], part, options.profile))
            last = rounds[-1]
            typer.echo(
                f"{last.kind:10} {last.events_per_second:10,.0f} events/s {last.cpu_us_per_event:8.1f} us CPU/event"
            )
    for kind in kinds:
        mine = [each.events_per_second for each in rounds if each.kind == kind]
        low, high = min(mine), max(mine)
        typer.echo(f"{kind:10} median {statistics.median(mine):10,.0f} events/s ({low:,.0f} to {high:,.0f})")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([asdict(each) for each in rounds], indent=1))


if __name__ == "__main__":
    main()
