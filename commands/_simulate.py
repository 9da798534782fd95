"""What `tidings simulate` does: files written, events published, with progress shown."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson
import typer
from rich.progress import Progress

from connectors import open_source_file
from producers.encode import WireEvent
from producers.publisher import EventPublisher
from producers.simulation.container import read
from producers.simulation.legacy import LEGACY
from producers.simulation.rows import PLACEHOLDER
from producers.simulator import Settings, SimulatedEvent, simulate
from producers.simulator import write_container as write_events
from tidings.clock import Clock
from tidings.errors import BadInput, Fatal, Problem
from tidings.kafka.cluster import Cluster, default_cluster_file

STEP = 500


class Record(NamedTuple):
    """What is sent: for whom, of which event type, key and value with a placeholder for their frame."""

    agency: str
    event_type: str
    key: bytes | None
    value: bytes | None
    expected: str


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def _new_file(out: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of one that is there. Raises BadInput where it cannot be opened, Fatal
    where it cannot be written to its end."""
    try:
        file = out.open("wb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name holds a NUL"
        raise BadInput([Problem(out.name, 0, "--out", "unwritable", f"cannot be opened ({reason})")]) from None
    try:
        with file:
            yield file
    except OSError as error:
        raise Fatal(f"{out.name} could not be written to its end ({error.strerror})") from None


def write_container(settings: Settings, events: int, out: Path, processes: int) -> Counter[str]:
    """Write an Avro container. Returns how many there are of each outcome."""
    with _new_file(out) as file, Progress(transient=True) as progress:
        task = progress.add_task("simulating", total=events)
        return write_events(file, events, settings, processes, lambda done: progress.update(task, completed=done))


def write_lines(settings: Settings, events: int, out: Path) -> Counter[str]:
    """Write a JSON object a line: the event, and what the exchange must make of it."""
    outcomes: Counter[str] = Counter()
    with _new_file(out) as file, Progress(transient=True) as progress:
        task = progress.add_task("simulating", total=events)
        for number, each in enumerate(simulate(events, settings), 1):
            outcomes[each.expected] += 1
            file.write(orjson.dumps(_line(each), option=orjson.OPT_APPEND_NEWLINE))
            if number % STEP == 0:
                progress.update(task, completed=number)
    return outcomes


def write_legacy(settings: Settings, events: int, out: Path, form: str) -> int:
    """Write sound events in a legacy format, those of its event types that `settings` asks for. Returns how many.

    Raises BadInput for an unknown format, and where it holds none of the event types or several that do not go into one
    file.
    """
    found = LEGACY.get(form)
    if found is None:
        raise _format(f"a format is avro, json, {', '.join(LEGACY)}")
    asked = found.event_types if settings.only is None else tuple(t for t in found.event_types if t in settings.only)
    chosen = asked if found.together else asked[:1]
    if not chosen or (settings.only is not None and set(chosen) != settings.only):
        raise _format(f"{form} holds {', '.join(found.event_types)}{'' if found.together else ', one in a file'}")
    sound = replace(settings, only=frozenset(chosen), bad_share=0, duplicate_share=0, faults={})
    with _new_file(out) as file, Progress(transient=True) as progress:
        task = progress.add_task("simulating", total=events)
        held = (each for each in simulate(sys.maxsize, sound) if found.holds(each.event))
        pairs = ((each.event_type, each.event) for each in progress.track(islice(held, events), task_id=task))
        return found.write(file, pairs)


def _format(message: str) -> BadInput:
    return BadInput([Problem("(command line)", 0, "--format", "format", message)])


def _line(each: SimulatedEvent) -> dict[str, Any]:
    return {
        "event_type": each.event_type,
        "agency": each.agency,
        "expected": each.expected,
        "codes": each.codes,
        "flags": each.flags,
        "fault": each.fault,
        "event": each.event,
    }


def publish(settings: Settings, events: int, rate: float, cluster_file: Path | None, clock: Clock) -> Counter[str]:
    """Publish simulated events as the agencies that own them. Returns how many there are of each outcome.

    Raises BadInput at the first event whose time has not come: the exchange would refuse it.
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
            raise BadInput([Problem("(command line)", 0, "--start", "future", message)])
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
