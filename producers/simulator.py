"""A small country's events, made from a seed: the same settings give the same events, byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, BinaryIO

from producers.encode import Encoder, WireEvent
from producers.simulation.container import block, header
from producers.simulation.country import records, uncollected, weeks
from producers.simulation.due import in_order
from producers.simulation.people import COUNTIES
from producers.simulation.rows import PLACEHOLDER, Outcome, Row
from producers.simulation.settings import START_MS, Settings
from producers.simulation.shapes import EVENT_TYPES
from producers.simulation.spoil import decode
from producers.simulation.types import types


@dataclass(frozen=True)
class SimulatedEvent:
    """One event and what the exchange must make of it: `codes` are the reasons of a rejection, `flags` what its
    publisher is told though it is accepted. No value is in its repr.
    """

    event_type: str
    agency: str
    expected: Outcome
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    body: bytes = field(repr=False)
    received_ms: int
    codes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    fault: str | None = None

    @cached_property
    def event(self) -> dict[str, Any]:
        """The event, decoded; of one whose framing is bad, what would stand in the frame."""
        return decode(EVENT_TYPES.index(self.event_type), self.body)

    def wire(self, encoder: Encoder) -> WireEvent:
        """The record to send, in the frame of the encoder's schema where it has one at all."""
        return encoder.frame(self.key, self.value, PLACEHOLDER)


def simulate(events: int, settings: Settings) -> Iterator[SimulatedEvent]:
    """`events` events in the order in which they are received. People are from ranges that are nobody's.

    Raises ValueError where `events` is negative.
    """
    if events < 0:
        raise ValueError("events counts from 0")
    return _events(events, settings)


def _events(events: int, settings: Settings) -> Iterator[SimulatedEvent]:
    left = events
    for received in weeks(settings) if events else ():
        rows = in_order(received)
        for row in rows[:left]:
            yield _event(row)
        left -= len(rows)
        if left <= 0:
            return


def _event(row: Row) -> SimulatedEvent:
    at, number, key, body, note = row
    name, received_ms = EVENT_TYPES[number], at // COUNTIES
    agency = types().owners[name]
    if note is None:
        return SimulatedEvent(name, agency, "accepted", key, PLACEHOLDER + body, body, received_ms)
    raw = (key, PLACEHOLDER + body) if note.raw is None else note.raw
    return SimulatedEvent(name, agency, note.expected, *raw, body, received_ms, note.codes, note.flags, note.fault)


def write_container(
    file: BinaryIO, events: int, settings: Settings, processes: int, progress: Callable[[int], None]
) -> Counter[str]:
    """Write `events` records to a container (`producers.simulation.container`). Returns how many there are of each
    outcome. `progress` hears how many are written. The bytes do not depend on `processes`.
    """
    start, marker = header(_written(settings))
    file.write(start)
    outcomes: Counter[str] = Counter()
    written = 0
    with uncollected():
        for week in records(settings, events, processes):
            if week.amount:
                file.write(block(week.data, week.amount, marker))
            outcomes.update(week.outcomes)
            outcomes["accepted"] += week.amount - week.outcomes.total()
            written += week.amount
            progress(written)
    return outcomes


def _written(settings: Settings) -> dict[str, str]:
    """The settings as texts that are the same in every run: a set has no order."""
    only = "everything" if settings.only is None else ", ".join(sorted(settings.only))
    shares = {name: str(dict(sorted(getattr(settings, name).items()))) for name in ("faults", "times")}
    return {name: str(value) for name, value in asdict(settings).items()} | shares | {"only": only}


__all__ = ["START_MS", "Outcome", "Settings", "SimulatedEvent", "simulate", "write_container"]
