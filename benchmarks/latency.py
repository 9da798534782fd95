"""End-to-end latency at a given rate: from an agency's `produce()` to the subscriber's `poll()`, TLS and SCRAM on.

One publisher, one worker of the exchange and one subscriber, each a process of its own on this machine, beside one
broker: one inbox partition in, three feeds out, exactly once, read read_committed. An event is matched with its views
through the decision blocks: an event's offset leads to the sequences of its views.

    python -m benchmarks.latency --rate 1000 --seconds 20 --json build/latency.json

`--profile FILE` runs the worker under cProfile (and doubles its cost): for where the time goes, not for figures.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.site import ADMIN, DECISIONS, Site, events, site, worker
from producers.encode import WireEvent
from tidings.clock import Deadline, SystemClock
from tidings.decisions import decode_block
from tidings.kafka.cluster import Cluster
from tidings.kafka.read import LogReader

WARM_UP_S = 5.0
"""Published before what is measured, at the same rate, and not counted: connections, caches, code."""
PATIENCE_S = 120.0
_MS = 1e-6


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured at one rate. Times are milliseconds; `load` is the machine's load average before the run."""

    rate: int
    events: int
    views: int
    achieved_rate: float
    p50: float
    p90: float
    p99: float
    max: float
    batch_events: float
    worker_cpu_share: float
    load: float


def publish_at(cluster_file: str, records: Sequence[WireEvent], rate: int, pipe: Connection) -> None:
    """The publisher's process: sends each record when it is due, and tells when it was sent (nanoseconds)."""
    import time

    from confluent_kafka import Producer

    producer = Producer(Cluster.load(Path(cluster_file)).producer_config(ADMIN))
    producer.list_topics(timeout=30)
    sent: list[int] = []
    began = time.monotonic()
    for number, record in enumerate(records):
        wait = began + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        sent.append(time.time_ns())
        producer.produce(record.topic, record.value, record.key)
        producer.poll(0)
    left = producer.flush(60)
    pipe.send((sent, left, time.monotonic() - began))


def subscribe(cluster_file: str, feeds: Sequence[str], pipe: Connection) -> None:
    """The subscriber's process: notes when each (feed, sequence) came, until it is told how many there are."""
    import time

    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    cluster = Cluster.load(Path(cluster_file))
    consumer = Consumer(cluster.consumer_config(ADMIN, "benchmark"))
    consumer.assign([TopicPartition(feed, 0, OFFSET_BEGINNING) for feed in feeds])
    arrived: dict[tuple[str, int], int] = {}
    pipe.send("ready")
    wanted = sys.maxsize
    while len(arrived) < wanted:
        if pipe.poll():
            wanted = pipe.recv()
        message = consumer.poll(0.1)
        if message is None:
            continue
        now = time.time_ns()
        for each in [message, *consumer.consume(1_000, 0)]:
            if each.error() is None:
                feed = each.topic() or ""
                arrived[feed, sequence_of(each.value() or b"")] = now
    pipe.send(arrived)


def sequence_of(value: bytes) -> int:
    """The first field of a view: an Avro long behind the wire header."""
    number = shift = 0
    for byte in value[5:15]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return (number >> 1) ^ -(number & 1)


def views_of(made: Site) -> tuple[dict[int, list[tuple[str, int]]], list[int]]:
    """By inbox offset, the feeds and sequences of an event's views; and how many events each batch held."""
    found: dict[int, list[tuple[str, int]]] = {}
    batches: list[int] = []
    with LogReader(made.cluster, ADMIN) as reader:
        for record in reader.read_to_end(DECISIONS):
            block = decode_block(record.value or b"")
            batches.append(len(block.entries))
            for entry in block.entries:
                found[entry.offset] = [
                    (each.agreement, each.sequence) for each in entry.agreements if each.sequence is not None
                ]
    return found, [each for each in batches if each]


def measure(rate: int, seconds: float, log: Path, profile: Path | None = None) -> Figures:
    """Bring a broker up and measure at `rate` events a second for `seconds`."""
    load = os.getloadavg()[0]
    spawn = multiprocessing.get_context("spawn")
    skipped = round(rate * WARM_UP_S)
    with site() as made:
        records = events(made, skipped + round(rate * seconds))
        with worker(made, log, profile=profile) as pid:
            file = str(made.cluster_file)
            hear_subscriber, tell = spawn.Pipe()
            subscriber = spawn.Process(target=subscribe, args=(file, made.feeds, tell), daemon=True)
            subscriber.start()
            hear_subscriber.recv()
            hear, say = spawn.Pipe()
            publisher = spawn.Process(target=publish_at, args=(file, records, rate, say), daemon=True)
            _wait_for_worker(made)
            before = _cpu_seconds(pid)
            began = SystemClock().monotonic()
            publisher.start()
            sent, left, took = hear.recv()
            if left:
                raise SystemExit(f"{left} events were not delivered to the inbox")
            views, batches = _decided(made, len(records))
            hear_subscriber.send(sum(map(len, views.values())))
            if not hear_subscriber.poll(PATIENCE_S):
                raise SystemExit("the subscriber did not get every view in time")
            arrived = hear_subscriber.recv()
            cpu = (_cpu_seconds(pid) - before) / (SystemClock().monotonic() - began)
    offsets = sorted(views)
    latencies = sorted(
        (arrived[view] - sent[number]) * _MS
        for number, offset in enumerate(offsets)
        if number >= skipped
        for view in views[offset]
    )

    def at(share: float) -> float:
        return round(float(latencies[min(len(latencies) - 1, int(len(latencies) * share))]), 1)

    return Figures(
        rate=rate,
        events=len(records) - skipped,
        views=len(latencies),
        achieved_rate=round(len(records) / took, 1),
        p50=at(0.5),
        p90=at(0.9),
        p99=at(0.99),
        max=at(1.0),
        batch_events=round(sum(batches) / len(batches), 1),
        worker_cpu_share=round(cpu, 2),
        load=round(load, 2),
    )


def _wait_for_worker(made: Site) -> None:
    """Return once the worker has its partition: it then acknowledges the policy with a block."""
    clock = SystemClock()
    deadline = Deadline(clock, PATIENCE_S)
    with LogReader(made.cluster, ADMIN) as reader:
        while not any(reader.ends(reader.partitions(DECISIONS)).values()):
            if deadline.expired():
                raise SystemExit("the worker did not start in time")
            clock.sleep(0.1)


def _decided(made: Site, amount: int) -> tuple[dict[int, list[tuple[str, int]]], list[int]]:
    clock = SystemClock()
    deadline = Deadline(clock, PATIENCE_S)
    while True:
        views, batches = views_of(made)
        if len(views) >= amount:
            return views, batches
        if deadline.expired():
            raise SystemExit(f"{len(views)} of {amount} events were decided in time")
        clock.sleep(0.5)


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process so far. Source: proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    ticks = float(os.sysconf("SC_CLK_TCK"))
    return (int(fields[11]) + int(fields[12])) / ticks


def table(figures: Sequence[Figures]) -> str:
    """The figures as a table in Markdown."""
    names = list(asdict(figures[0]))
    rows = [names, ["---"] * len(names), *[[str(value) for value in asdict(each).values()] for each in figures]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Measure at each rate, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rate", type=int, action="append", help="events a second; repeat for several")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to measure, after 5 s of warming up")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--profile", type=Path, help="run the worker under cProfile, which writes here")
    options = parser.parse_args()
    with TemporaryDirectory() as home:
        log = Path(home) / "worker.log"
        try:
            figures = [measure(rate, options.seconds, log, options.profile) for rate in options.rate or [100, 1_000]]
        except BaseException:
            sys.stderr.write(log.read_text()[-2_000:] if log.exists() else "")
            raise
    sys.stdout.write(table(figures) + "\n")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n")


if __name__ == "__main__":
    main()
