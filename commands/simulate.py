"""`tidings simulate`: a small country's events, from a seed, into a file or into the inboxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidings.clock import Clock, SystemClock

if TYPE_CHECKING:
    from producers.publisher import EventPublisher
    from producers.simulator import SimulatedEvent

STEP = 200


def simulate(
    events: Annotated[int, typer.Option(min=1, help="How many events.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same events, byte for byte.")] = 1,
    bad: Annotated[float, typer.Option(min=0.0, max=1.0, help="The share of bad records, all kinds alike.")] = 0.02,
    out: Annotated[
        Path | None, typer.Option(help="Write them here, a JSON object a line, and publish nothing.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.0, help="At most so many events a second; 0: as fast as it goes.")] = 0.0,
    cluster: Annotated[Path | None, typer.Option(help="The cluster file; else $TIDINGS_CLUSTER.")] = None,
) -> None:
    """Simulate a population and publish its events as the agencies that own them, bad records included.

    What the exchange must make of them is printed: accepted, rejected, duplicate. People are nobody: NHS numbers begin
    with 999, the environment is SYNTHETIC.
    """
    from producers.simulator import simulate as simulated

    stream = simulated(events, seed, bad)
    expected = (
        _write(stream, out, events) if out is not None else _publish(stream, events, rate, cluster, SystemClock())
    )
    typer.echo(", ".join(f"{outcome}: {expected[outcome]}" for outcome in ("accepted", "rejected", "duplicate")))


def _write(stream: Iterator[SimulatedEvent], out: Path, events: int) -> Counter[str]:
    import orjson
    from rich.progress import track

    expected: Counter[str] = Counter()
    with out.open("wb") as file:
        for each in track(stream, "simulating", total=events, transient=True):
            expected[each.expected] += 1
            line = {
                "event_type": each.event_type,
                "agency": each.agency,
                "expected": each.expected,
                "codes": each.codes,
                "fault": None if each.fault is None else each.fault.name,
                "event": each.event,
            }
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return expected


def _publish(
    stream: Iterator[SimulatedEvent], events: int, rate: float, cluster_file: Path | None, clock: Clock
) -> Counter[str]:
    from rich.progress import Progress

    from producers.publisher import EventPublisher
    from tidings.kafka.cluster import Cluster, default_cluster_file

    cluster = Cluster.load(cluster_file or default_cluster_file())
    publishers: dict[str, EventPublisher] = {}
    expected: Counter[str] = Counter()
    began = clock.monotonic()
    with Progress(transient=True) as progress:
        task = progress.add_task("publishing", total=events)
        for number, each in enumerate(stream, 1):
            if each.agency not in publishers:
                publishers[each.agency] = EventPublisher(cluster, each.agency)
            publisher = publishers[each.agency]
            publisher.send(each.wire(publisher.encoder(each.event_type)))
            expected[each.expected] += 1
            if rate:
                clock.sleep(max(0.0, began + number / rate - clock.monotonic()))
            if number % STEP == 0:
                progress.update(task, completed=number)
        for publisher in publishers.values():
            publisher.flush()
    seconds = clock.monotonic() - began
    typer.echo(f"{sum(each.delivered for each in publishers.values())} events delivered in {seconds:.1f} s")
    return expected
