"""What every source connector must do. Its members are the table's: a new one fails here until it has a sample."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from random import Random

import pytest

from connectors import SOURCES, find_source
from connectors.sources.base import RefusedRecord, SourceRecord
from producers.encode import Encoder
from tests.compliance.sources import AGENCIES, MAPPING, MARK, RECEIVED_AT_MS, SAMPLES, read
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.errors import BadInput
from tidings.topics import is_id

ALL = sorted(SOURCES)


def test_the_table_is_the_folder_and_the_samples() -> None:
    """Every connector has its file, named like it, and its sample."""
    folder = Path(__file__).resolve().parents[2] / "connectors" / "sources"
    files = {path.stem.replace("_", "-") for path in folder.glob("*.py") if not path.stem.startswith("_")} - {"base"}

    assert files == set(SOURCES) == set(SAMPLES)


@pytest.mark.parametrize("name", ALL)
def test_the_manual_is_complete(name: str) -> None:
    """A connector's specification says all that its reference page needs, of event types that exist."""
    spec = SOURCES[name].spec

    assert is_id(spec.name)
    empty = {"cleansing", "needs_mapping"} | ({"event_types", "signatures"} if spec.needs_mapping else set())
    assert all(getattr(spec, each.name) for each in dataclasses.fields(spec) if each.name not in empty)
    assert set(spec.event_types) <= set(load_catalogue(default_catalogue_dir()).event_types)


@pytest.mark.parametrize("name", ALL)
def test_events_fit_their_type(name: str) -> None:
    """Every event of the sample can be written by its type's schema, under the connector's agency."""
    event_types = load_catalogue(default_catalogue_dir()).event_types
    records = [each for each in read(name, SAMPLES[name]) if isinstance(each, SourceRecord)]

    assert records
    for each in records:
        event_type = event_types[each.event_type]
        assert event_type.owner == AGENCIES[name]
        assert Encoder(AGENCIES[name], each.event_type, 1, event_type.schema).encode(each.event).value


@pytest.mark.parametrize("name", ALL)
def test_a_second_run_is_the_same(name: str) -> None:
    """The same bytes give the same outcomes, and each event has an id of its own."""
    first, second = read(name, SAMPLES[name]), read(name, SAMPLES[name])
    ids = [each.event["event_id"] for each in first if isinstance(each, SourceRecord)]

    assert first == second
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ALL)
def test_the_time_of_receipt_is_not_in_the_id(name: str) -> None:
    """A file taken in again later gives the same ids."""
    ids = [
        [each.event["event_id"] for each in read(name, SAMPLES[name], at) if isinstance(each, SourceRecord)]
        for at in (RECEIVED_AT_MS, RECEIVED_AT_MS + 1)
    ]

    assert ids[0] == ids[1]


@pytest.mark.parametrize("name", ALL)
def test_a_truncated_file_loses_nothing_before_the_cut(name: str) -> None:
    """Cut off at any place, a file gives the events that were whole by then and no others, and never raises."""
    whole = [each.event for each in read(name, SAMPLES[name]) if isinstance(each, SourceRecord)]
    for cut in range(0, len(SAMPLES[name]), 13):
        part = [each.event for each in read(name, SAMPLES[name][:cut]) if isinstance(each, SourceRecord)]

        assert part == whole[: len(part)]


@pytest.mark.parametrize("name", ALL)
def test_damaged_files_are_answered_without_values(name: str) -> None:
    """Whatever bytes are changed, a connector answers, names file, field and rule, and says no value."""
    rng = Random(7)  # noqa: S311 (which bytes to damage is no secret)
    for _ in range(300):
        damaged = bytearray(SAMPLES[name])
        for _ in range(rng.randrange(1, 6)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        for each in read(name, bytes(damaged)):
            assert MARK not in repr(each)
            if isinstance(each, RefusedRecord):
                assert each.problem.file == "sample"
                assert each.problem.field
                assert each.problem.rule


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\xff\xfe\x00", b"PK\x03\x04zip", b"=cmd|' /C calc'!A0"])
def test_other_files_give_no_event(name: str, content: bytes) -> None:
    """A file of another kind gives refusals at most."""
    assert not [each for each in read(name, content) if isinstance(each, SourceRecord)]


@pytest.mark.parametrize("name", ALL)
def test_a_connector_is_found_by_content_and_by_name(name: str) -> None:
    """Content decides whatever the file is called, or a mapping does, and a name decides whatever it holds."""
    mapping = MAPPING if SOURCES[name].spec.needs_mapping else None

    assert type(find_source("x.dat", SAMPLES[name], None, mapping)) is SOURCES[name]
    assert type(find_source("x.dat", b"", name, mapping)) is SOURCES[name]


def test_an_unknown_format_is_refused() -> None:
    """Neither content nor extension nor a name that is not in the table is guessed at."""
    with pytest.raises(BadInput, match="format-unknown"):
        find_source("x.dat", b"?")
    with pytest.raises(BadInput, match="empty-file"):
        find_source("x.dat", b"")
    with pytest.raises(BadInput, match="unknown-source"):
        find_source("x.xml", b"?", "no-such")
