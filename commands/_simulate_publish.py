"""What `tidings simulate` does without `--out`: events published, with progress shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import typer
from rich.progress import Progress

from commands._simulate import STEP
from connectors import open_source_file
from producers.encode import WireEvent
from producers.publisher import EventPublisher
from producers.simulation.container import read
from producers.simulation.rows import PLACEHOLDER
from producers.simulator import Settings, SimulatedEvent, simulate
from tidings.clock import Clock
from tidings.errors import BadUsage
from tidings.kafka.cluster import Cluster, default_cluster_file


class Record(NamedTuple):
    """What is sent: for whom, of which event type, key and value with a placeholder for their frame."""

    agency: str
    event_type: str
    key: bytes | None
    value: bytes | None
    expected: str


def publish(settings: Settings, events: int, rate: float, cluster_file: Path | None, clock: Clock) -> Counter[str]:
    """Publish simulated events as the agencies that own them. Returns how many there are of each outcome.

    Raises BadUsage at the first event whose time has not come: the exchange would refuse it.
    """
    return _send(_not_in_future(simulate(events, settings), clock), events, rate, cluster_file, clock)


def publish_container(path: Path, rate: float, cluster_file: Path | None, clock: Clock) -> Counter[str]:
    """Publish the records of a container. Returns how many there are of each outcome. Raises BadInput where it is
    none, or no file that can be read."""
    with open_source_file(path) as file:
        stored = (Record(e.agency, e.event_type, e.key, e.value, e.expected) for e in read(file, path.name))
        return _send(stored, None, rate, cluster_file, clock)


def _not_in_future(simulated: Iterable[SimulatedEvent], clock: Clock) -> Iterator[Record]:
    now_ms = clock.now_ms()
    for number, each in enumerate(simulated):
        if each.received_ms > now_ms:
            message = f"after {number} events the country reaches today; let it begin earlier, or give it more people"
            raise BadUsage("--start", "future", message)
        yield Record(each.agency, each.event_type, each.key, each.value, each.expected)


def _send(
    records: Iterable[Record], total: int | None, rate: float, cluster_file: Path | None, clock: Clock
) -> Counter[str]:
    publishers = Publishers(Cluster.load(cluster_file or default_cluster_file()))
    outcomes: Counter[str] = Counter()
    began = clock.monotonic()
    with Progress(transient=True) as progress:
        task = progress.add_task("publishing", total=total)
        for number, each in enumerate(records, 1):
            publishers.send(each)
            outcomes[each.expected] += 1
            if rate:
                clock.sleep(max(0.0, began + number / rate - clock.monotonic()))
            if number % STEP == 0:
                progress.update(task, completed=number)
        delivered = publishers.flush()
    typer.echo(f"{delivered} events delivered in {clock.monotonic() - began:.1f} s")
    return outcomes


class Publishers:
    """One publisher for each agency that has something to send."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._publishers: dict[str, EventPublisher] = {}

    def send(self, each: Record) -> None:
        """Send a record as its agency, in the frame of the schema that the inbox takes."""
        publisher = self._publishers.get(each.agency)
        if publisher is None:
            publisher = self._publishers[each.agency] = EventPublisher(self._cluster, each.agency)
        record: WireEvent = publisher.encoder(each.event_type).frame(each.key, each.value, PLACEHOLDER)
        publisher.send(record)

    def flush(self) -> int:
        """Wait for every confirmation. Returns how many records were delivered."""
        return sum(publisher.flush() for publisher in self._publishers.values())
