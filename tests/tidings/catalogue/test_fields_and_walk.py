"""Dotted paths mean the same in a schema and in an event."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.catalogue import default_catalogue_dir, field_map, load_catalogue, walk

CATALOGUE = load_catalogue(default_catalogue_dir())
DEATH = field_map(CATALOGUE.event_types["death-registered"].schema)


def test_array_on_the_way_repeats() -> None:
    """A field inside an array's records repeats, though it is no array itself."""
    info = DEATH["deceased.names.family"]

    assert (info.type, info.nullable, info.array, info.repeats) == ("string", True, False, True)


def test_type_that_is_used_again_is_entered_again() -> None:
    """A named type is walked wherever it is used, not only where it is written out."""
    assert {"occurred_on.year", "deceased.date_of_birth.year", "usual_residence.period.start.year"} <= DEATH.keys()


def test_kinds_are_told() -> None:
    """Logical types, enum symbols and full names of types are there for masks and checks."""
    assert DEATH["event_id"].logical_type == "uuid"
    assert DEATH["protection"].symbols == ("NONE", "LOCATION", "FULL")
    assert DEATH["deceased"].type_name == "tidings.types.Deceased"


def test_categories_add_up() -> None:
    """A field has its own category and those of the records around it."""
    info = DEATH["usual_residence.use"]

    assert ("plain", {"plain", "location"}) == (info.category, set(info.categories))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", [1]),
        ("b.c", [1, 2, 3]),
        ("b.none", []),
        ("nowhere.at.all", []),
        ("a.deeper", []),
        ("d", ["x", "y"]),
        ("e", []),
    ],
)
def test_walk(path: str, expected: list[object]) -> None:
    """Arrays fan out in order, nulls are dropped, and what is not there is nothing."""
    record = {"a": 1, "b": [{"c": 1}, {"c": [2, 3]}, {"c": None}, None], "d": ["x", None, "y"], "e": None}

    assert expected == walk.get(record, path)
    assert expected == list(walk.getter(path)(record))


_STEPS = st.sampled_from(["a", "b", "c"])
_VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_STEPS, inner, max_size=3),
    max_leaves=20,
)


@given(st.dictionaries(_STEPS, _VALUES), st.lists(_STEPS, min_size=1, max_size=4))
def test_a_compiled_path_reads_the_same(record: dict[str, object], steps: list[str]) -> None:
    """`getter` finds what `get` finds, whatever stands on the way."""
    path = ".".join(steps)

    assert walk.get(record, path) == list(walk.getter(path)(record))


@pytest.mark.parametrize("name", sorted(CATALOGUE.event_types))
def test_every_path_of_a_schema_leads_to_a_value(name: str) -> None:
    """In the maximal sample each path of the schema has a value: schema and event are walked alike."""
    path = default_catalogue_dir() / "samples" / name / "pass-maximal.json"
    event = json.loads(path.read_text("utf-8"))
    empty = [path for path in field_map(CATALOGUE.event_types[name].schema) if not walk.get(event, path)]

    assert empty == []
