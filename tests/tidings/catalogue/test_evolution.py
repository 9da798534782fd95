"""Each breaking change is found and named; Apache's own checker is the judge."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, cast

import avro.schema
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.catalogue.evolution import BreakingChange, ChangeKind, breaking_changes

BASE: dict[str, Any] = {
    "type": "record",
    "name": "Thing",
    "namespace": "t",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "count", "type": "int", "default": 0},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 16}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "mood", "type": {"type": "enum", "name": "Mood", "symbols": ["X", "Y"], "default": "X"}},
        {
            "name": "parts",
            "type": {
                "type": "array",
                "items": {"type": "record", "name": "Part", "fields": [{"name": "size", "type": "long"}]},
            },
            "default": [],
        },
    ],
}


def _field(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(field for field in document["fields"] if field["name"] == name)
    return found


def _part(document: dict[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = _field(document, "parts")["type"]["items"]
    return part


Change = Callable[[dict[str, Any]], Any]
BREAKING: dict[str, tuple[Change, str, ChangeKind]] = {
    "field added": (lambda d: d["fields"].append({"name": "new", "type": "string"}), "new", ChangeKind.FIELD_ADDED),
    "field removed": (lambda d: d["fields"].pop(0), "id", ChangeKind.FIELD_REMOVED),
    "inner field added": (
        lambda d: _part(d)["fields"].append({"name": "new", "type": "int"}),
        "parts.new",
        ChangeKind.FIELD_ADDED,
    ),
    "type changed": (lambda d: _field(d, "id").update(type="boolean"), "id", ChangeKind.TYPE_CHANGED),
    "widened": (lambda d: _field(d, "count").update(type="long"), "count", ChangeKind.TYPE_WIDENED),
    "narrowed": (lambda d: _part(d)["fields"][0].update(type="int"), "parts.size", ChangeKind.TYPE_NARROWED),
    "made nullable": (lambda d: _field(d, "id").update(type=["null", "string"]), "id", ChangeKind.TYPE_WIDENED),
    "made required": (lambda d: _field(d, "note").update(type="string", default=""), "note", ChangeKind.TYPE_NARROWED),
    "symbol added": (lambda d: _field(d, "kind")["type"]["symbols"].append("C"), "kind", ChangeKind.SYMBOL_ADDED),
    "symbol removed": (lambda d: _field(d, "kind")["type"]["symbols"].pop(), "kind", ChangeKind.SYMBOL_REMOVED),
    "type renamed": (lambda d: _part(d).update(name="Piece"), "parts", ChangeKind.NAME_CHANGED),
    "size changed": (lambda d: _field(d, "hash")["type"].update(size=8), "hash", ChangeKind.SIZE_CHANGED),
}
HARMLESS: dict[str, Change] = {
    "doc": lambda d: d.update(doc="else"),
    "field added with a default": lambda d: d["fields"].append({"name": "new", "type": "int", "default": 0}),
    "field with a default taken away": lambda d: d["fields"].pop(1),
    "symbol added where there is a default": lambda d: _field(d, "mood")["type"]["symbols"].append("Z"),
    "order of fields": lambda d: d["fields"].reverse(),
    "branch order": lambda d: _field(d, "note").update(type=["string", "null"], default=""),
}


def _changed(change: Change) -> dict[str, Any]:
    changed = copy.deepcopy(BASE)
    change(changed)
    return changed


def _apache_reads(reader: dict[str, Any], writer: dict[str, Any]) -> bool:
    checker: Any = cast("Any", ReaderWriterCompatibilityChecker)()
    result = checker.get_compatibility(avro.schema.parse(json.dumps(reader)), avro.schema.parse(json.dumps(writer)))
    return bool(result.compatibility is SchemaCompatibilityType.compatible)


def _apache_full(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return _apache_reads(one, other) and _apache_reads(other, one)


@pytest.mark.parametrize("case", BREAKING)
def test_breaking_change_is_named(case: str) -> None:
    """Each kind of breaking change is found, at its path, and called by its name."""
    change, path, kind = BREAKING[case]

    assert [BreakingChange(1, 2, path, kind)] == breaking_changes([BASE, _changed(change)])


@pytest.mark.parametrize("case", BREAKING)
def test_apache_calls_it_breaking_too(case: str) -> None:
    """What we refuse, Apache's checker refuses in one direction or the other."""
    assert not _apache_full(BASE, _changed(BREAKING[case][0]))


@pytest.mark.parametrize("case", HARMLESS)
def test_harmless_change_is_taken(case: str) -> None:
    """What both sides can read is no breaking change, to us and to Apache's checker."""
    changed = _changed(HARMLESS[case])

    assert breaking_changes([BASE, changed]) == []
    assert _apache_full(BASE, changed)


def test_every_kind_of_change_is_shown() -> None:
    """No kind exists that no test has seen."""
    assert set(ChangeKind) == {kind for _, _, kind in BREAKING.values()}


def test_all_pairs_are_compared() -> None:
    """Transitive: the first and the third version break though neighbours do not."""
    with_default = {"name": "f", "type": "int", "default": 0}
    first = _changed(lambda d: d["fields"].append({"name": "f", "type": "string", "default": ""}))
    third = _changed(lambda d: d["fields"].append(with_default))

    assert [BreakingChange(1, 3, "f", ChangeKind.TYPE_CHANGED)] == breaking_changes([first, BASE, third])


def test_change_is_told_in_words() -> None:
    """The text names versions, path and what happened."""
    (change,) = breaking_changes([BASE, _changed(BREAKING["symbol removed"][0])])

    assert str(change).startswith("version 1 to 2: kind: a symbol was taken from an enum")


def test_real_event_type_refuses_a_breaking_change() -> None:
    """A version 2 of death-registered that makes a head field nullable is refused."""
    first = load_catalogue(default_catalogue_dir()).event_types["death-registered"].schema
    second = copy.deepcopy(first)
    _field(second, "record_id")["type"] = ["null", "string"]

    assert [BreakingChange(1, 2, "record_id", ChangeKind.TYPE_WIDENED)] == breaking_changes([first, second])


_TYPES: list[Any] = [
    "int",
    "long",
    "double",
    "string",
    "boolean",
    ["null", "int"],
    ["null", "long"],
    ["null", "string"],
    {"type": "array", "items": "int"},
    {"type": "array", "items": "long"},
    {"type": "array", "items": ["null", "string"]},
]
_DEFAULTS = {"int": 0, "long": 0, "double": 0.0, "string": "", "boolean": False}


@st.composite
def _records(draw: st.DrawFn) -> dict[str, Any]:
    fields = []
    for name in draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, min_size=1)):
        field: dict[str, Any] = {"name": name, "type": draw(st.sampled_from(_TYPES))}
        if draw(st.booleans()):
            kind = field["type"]
            field["default"] = _DEFAULTS[kind] if isinstance(kind, str) else None if isinstance(kind, list) else []
        fields.append(field)
    return {"type": "record", "name": "R", "fields": fields}


@given(_records(), _records())
@settings(max_examples=120, deadline=None)
def test_any_two_records_are_judged_as_apache_judges(one: dict[str, Any], other: dict[str, Any]) -> None:
    """On any two records of the types that we use, we and Apache's checker agree."""
    assert _apache_full(one, other) == (not breaking_changes([one, other]))
