"""A splice's bytes are fastavro's, whatever stands in its slots."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.simulation.pieces import FIRST_MS, INSTANTS, LAST_MS, Tops, birth_dates, days, flag, instants, uuids
from producers.simulation.shapes import BODIES, shapes
from producers.simulation.splice import TAKEN, Slot, Splice, array, text
from producers.simulation.types import types
from tidings.catalogue import default_catalogue_dir
from tidings.wire import zigzag

TYPES = types()
SAMPLES = sorted((default_catalogue_dir() / "samples").glob("*/pass-*.json"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SHAPES = shapes("SYNTHETIC")


def by_fastavro(schema: Any, value: Any) -> bytes:
    """What fastavro writes."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()


def read(event_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """The event of a body, and what is left over."""
    rest = io.BytesIO(body)
    event = fastavro.schemaless_reader(rest, fastavro.parse_schema(TYPES.events[event_type]), None)
    return event, rest.read()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_splice_without_slots_writes_every_sample(path) -> None:
    """Every sample that must pass is written byte for byte as fastavro writes it."""
    value, schema = json.loads(path.read_text("utf-8")), TYPES.events[path.parent.name]

    assert TYPES.constant(schema, value) == by_fastavro(schema, value)


@given(TEXT, TEXT, st.one_of(st.none(), st.booleans()))
def test_slots_hold_any_value(scheme: str, value: str, verified: bool | None) -> None:
    """A record with slots, filled, is the record that fastavro writes with the values in their place."""
    identifier = {"scheme": scheme, "value": Slot("value"), "verified": Slot("verified")}
    filled = TYPES.splice("Identifier", identifier).fill((text(value), flag(verified)))

    assert filled == by_fastavro(
        TYPES.named["tidings.types.Identifier"], {"scheme": scheme, "value": value, "verified": verified}
    )


@given(st.lists(TEXT, max_size=70))
def test_arrays(items: list[str]) -> None:
    """An array of pieces is the array that fastavro writes."""
    assert array([text(each) for each in items]) == by_fastavro({"type": "array", "items": "string"}, items)


def test_what_does_not_fit_is_refused() -> None:
    """An unknown field and symbol, and a wrong number of pieces, are errors when the splice is made or filled."""
    with pytest.raises(KeyError):
        TYPES.splice("Name", {"use": "USUAL", "nickname": "x"})
    with pytest.raises(KeyError):
        TYPES.splice("Name", {"use": "NONSENSE"})
    with pytest.raises(ValueError, match="size"):
        TYPES.splice("Name", {"use": "USUAL", "family": Slot("family")}).fill(())


def test_a_taken_field_is_written_by_the_slot_before() -> None:
    """`TAKEN` writes nothing."""
    splice = Splice({"type": "record", "name": "R", "fields": [{"name": n, "type": "int"} for n in "ab"]},
                    {"a": Slot("a"), "b": TAKEN}, {})  # fmt: skip

    assert splice.fill((zigzag(4) + zigzag(5),)) == zigzag(4) + zigzag(5)


@pytest.mark.parametrize("name", BODIES)
def test_every_shape_is_an_event(name: str) -> None:
    """A shape filled with the least that its slots take is read by fastavro to its end, and written again as it was."""
    shape = SHAPES[name]
    least = {"event_id": text("0" * 36), "record_id": text("1"), "ref": text("1"), "subject": text("a") + text("b"),
             "recorded_at": INSTANTS.pack(2, 0x8080, 0x8080, 0x180, 0x8080, 0x8080, 0x180)}  # fmt: skip
    pieces = [least.get(slot, b"\x00") for slot in shape.first.slots]
    for at, slot in enumerate(shape.first.slots):
        kind = slot.rpartition(".")[2]
        if slot not in least and kind in {"street", "town", "year", "month"}:
            pieces[at] = {"street": text("s"), "town": text("t"), "year": zigzag(2000), "month": b"\x00\x00"}[kind]
    body = shape.first.fill(pieces)
    event, rest = read(shape.event_type, body)

    assert rest == b""
    assert by_fastavro(TYPES.events[shape.event_type], event) == body
    assert (event["change"], event["record_version"]) == ("CREATED", 1)


@given(st.integers(FIRST_MS, LAST_MS - 1), st.integers(FIRST_MS, LAST_MS - 1))
def test_instants(first: int, later: int) -> None:
    """Two instants are written as fastavro writes a nullable and a plain long."""
    pair = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "a", "type": ["null", "long"]}, {"name": "b", "type": "long"}],
    }

    assert instants(first, later, Tops()) == by_fastavro(pair, {"a": first, "b": later})


def test_dates() -> None:
    """Days since 1970 and births without a known day are the PartialDates that they mean."""
    date = TYPES.named["tidings.types.PartialDate"]
    years, months = birth_dates()

    assert days()[0] == b"\x02" + by_fastavro(date, {"year": 1970, "month": 1, "day": 1})
    assert days()[-1] == b"\x02" + by_fastavro(date, {"year": 1969, "month": 12, "day": 31})
    assert years[70] + months[2 << 5 | 29] + b"\x00" * 4 == by_fastavro(date, {"year": 1920, "month": 2, "day": 29})
    assert years[70] + months[2 << 5] + b"\x00" * 4 == by_fastavro(date, {"year": 1920, "month": 2})


def test_ids_are_random_uuids() -> None:
    """Ids are version 4, all different, and another seed has others."""
    made = uuids("seed")
    ids = [next(made) for _ in range(2_000)]

    assert {uuid.UUID(each[1:].decode()).version for each in ids} == {4}
    assert {uuid.UUID(each[1:].decode()).variant for each in ids} == {uuid.RFC_4122}
    assert len({*ids, next(uuids("other"))}) == 2_001
