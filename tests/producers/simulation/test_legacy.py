"""Round trips: simulated events written in a legacy format are read back by its connector as the events that they were,
up to what the format's projection declares. `TIDINGS_ROUND_TRIP_EVENTS=100000` makes it long."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from connectors import SNIFFED_BYTES, find_source
from connectors.sources.base import SetAsideRecord, SourceContext, SourceRecord
from producers._generate_writer import generate_writer
from producers.simulation.legacy import LEGACY, MAPPING_FILE, only_compared
from producers.simulation.shapes import EVENT_TYPES
from producers.simulation.spoil import decode
from producers.simulation.types import types
from producers.simulator import Settings, simulate
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.checks import Checker, FolderLists
from tidings.clock import StillClock

EVENTS = int(os.environ.get("TIDINGS_ROUND_TRIP_EVENTS", "400"))
CASES = [
    (each.name, event_types)
    for each in LEGACY.values()
    for event_types in ([each.event_types] if each.together else [(one,) for one in each.event_types])
]
"""Formats with the event types of one file: a file in RSF is about one register."""
OFTEN = {"country": 1_000.0, "local-authority": 1_000.0, "names": 30.0}
"""What is rare happens more often, or the country's time would end before the last event."""
CATALOGUE = load_catalogue(default_catalogue_dir())


def held(name: str, event_types: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """`EVENTS` simulated events that the format can hold, from a country large enough for them."""
    settings = Settings(
        seed=4,
        people=max(20_000, 10 * EVENTS),
        bad_share=0,
        duplicate_share=0,
        only=frozenset(event_types),
        times=OFTEN,
    )
    left = EVENTS
    for each in simulate(sys.maxsize, settings):
        if LEGACY[name].holds(each.event):
            yield each.event_type, each.event
            left -= 1
            if left == 0:
                return


def read(file: BinaryIO, agency: str, name: str) -> Iterator[SourceRecord]:
    """What the connector makes of the file; nothing is refused, and every event passes the checks as it did before."""
    mapping = MAPPING_FILE if name == "delimited-table" else None
    source = find_source(name, file.read(SNIFFED_BYTES), name, mapping)
    file.seek(0)
    for outcome in source.read(file, SourceContext(name, agency, "SYNTHETIC", StillClock().now_ms())):
        if isinstance(outcome, SourceRecord):
            assert not outcome.cleansed
            yield outcome
        else:
            assert isinstance(outcome, SetAsideRecord), outcome


def whole(event_type: str, event: dict[str, Any]) -> dict[str, Any]:
    """The event as it is on the wire: what a connector leaves out has its default."""
    written = bytearray()
    writer(event_type)(written, event)
    return decode(EVENT_TYPES.index(event_type), bytes(written))


@cache
def writer(event_type: str) -> Any:
    """What writes an event of a type as Avro."""
    return generate_writer(types().events[event_type])


@pytest.mark.parametrize(
    ("name", "event_types"), CASES, ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_round_trip(name: str, event_types: tuple[str, ...], tmp_path: Path) -> None:
    """simulate -> legacy file -> connector -> the same events."""
    agency = CATALOGUE.event_types[event_types[0]].owner
    path = tmp_path / name
    written: list[tuple[str, dict[str, Any]]] = []

    def noted() -> Iterator[tuple[str, dict[str, Any]]]:
        for each in held(name, event_types):
            written.append(each)
            yield each

    with path.open("wb") as file:
        assert LEGACY[name].write(file, noted()) == EVENTS
    checkers = {each: Checker(CATALOGUE.event_types[each].checks, FolderLists()) for each in event_types}
    now_ms, seen, ids = StillClock().now_ms(), 0, set()
    with path.open("rb") as file:
        for record, (event_type, event) in zip(read(file, agency, name), written, strict=True):
            assert record.event_type == event_type
            found, expected = whole(event_type, record.event), LEGACY[name].project(event)
            if event_type == "birth-notified":  # derived anew: the same for the children of one delivery
                assert (found["life_event_id"] is not None) == ((event["births_at_delivery"] or 1) > 1)
                found["life_event_id"] = None
            assert only_compared(found) == expected
            assert not checkers[event_type].run(record.event, now_ms)
            ids.add(record.event["event_id"])
            seen += 1
    assert seen == len(ids) == EVENTS
