"""Every sample does what its name says: passes, or fails with exactly the findings that it lists."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.validation import validate

from tidings.catalogue import EventType, default_catalogue_dir, load_catalogue, plain_schema
from tidings.checks.checker import Checker, validate_rules
from tidings.checks.reference_lists import FolderLists
from tidings.clock import StillClock
from tidings.errors import Severity

CATALOGUE = load_catalogue(default_catalogue_dir())
SAMPLES = default_catalogue_dir() / "samples"
PASS = sorted(SAMPLES.glob("*/pass-*.json"))
FAIL = sorted(SAMPLES.glob("*/fail-*.json"))
NOW_MS = StillClock().now_ms()


def _id(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _event_type(path: Path) -> EventType:
    return CATALOGUE.event_types[path.parent.name]


def _findings(event_type: EventType, event: dict[str, Any]) -> Any:
    return Checker(event_type.checks, FolderLists()).run(event, NOW_MS)


def _encode(event_type: EventType, event: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(plain_schema(event_type.schema)), event, strict=True)
    return out.getvalue()


def _decode(event_type: EventType, body: bytes) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(body), fastavro.parse_schema(plain_schema(event_type.schema)))


@pytest.mark.parametrize("path", PASS, ids=_id)
def test_pass_sample_makes_a_round_trip(path: Path) -> None:
    """A pass sample is encoded and decoded with the plain schema, and nothing of it is lost or changed."""
    event = json.loads(path.read_text("utf-8"))
    event_type = _event_type(path)

    assert event == _decode(event_type, _encode(event_type, event))


@pytest.mark.parametrize("path", PASS, ids=_id)
def test_pass_sample_is_not_refused(path: Path) -> None:
    """No check finds anything in a pass sample, but that an annulment's head may be flagged."""
    event = json.loads(path.read_text("utf-8"))
    allowed = {Severity.FLAG} if event["change"] == "ANNULLED" else set()

    assert {each.severity for each in _findings(_event_type(path), event)} <= allowed


@pytest.mark.parametrize("path", FAIL, ids=_id)
def test_fail_sample_has_all_its_findings(path: Path) -> None:
    """A fail sample fits its schema, and the checks find what it lists, all of it and no more."""
    sample = json.loads(path.read_text("utf-8"))
    event_type = _event_type(path)

    assert {"event", "expect"} == set(sample)
    assert sample["event"] == _decode(event_type, _encode(event_type, sample["event"]))
    assert sample["expect"] == sorted(map(str, _findings(event_type, sample["event"])))
    assert sample["expect"]


@pytest.mark.parametrize("path", FAIL, ids=_id)
def test_fail_sample_is_named_for_its_rule(path: Path) -> None:
    """A fail sample's name begins with a check of its event type, and that check is what it fails."""
    rules = {rule.check.replace("_", "-") for rule in _event_type(path).checks}

    assert any(path.stem.startswith(f"fail-{rule}") for rule in rules)


@pytest.mark.parametrize("name", sorted(CATALOGUE.event_types))
def test_each_event_type_has_its_samples(name: str) -> None:
    """An event type has an annulment of nothing but its head, a typical and a maximal sample, and one for each rule."""
    event_type = CATALOGUE.event_types[name]
    passing = {path.stem for path in (SAMPLES / name).glob("pass-*.json")}
    failing = list((SAMPLES / name).glob("fail-*.json"))

    assert passing >= {"pass-annulment", "pass-typical", "pass-maximal"}
    assert len(failing) == len(event_type.checks)


@pytest.mark.parametrize("name", sorted(CATALOGUE.event_types))
def test_each_rule_finds_each_of_its_paths(name: str) -> None:
    """Over the fail samples of an event type, each rule names each path that it judges: no rule lies idle."""
    event_type = CATALOGUE.event_types[name]
    events = [json.loads(path.read_text("utf-8"))["event"] for path in (SAMPLES / name).glob("fail-*.json")]

    for rule in event_type.checks:
        checker = Checker([rule], FolderLists())
        found = {each.path for event in events for each in checker.run(event, NOW_MS)}
        expected = {rule.params["then"]} if "then" in rule.params else set(rule.paths)
        assert expected == found, (rule.check, rule.paths)


@pytest.mark.parametrize("name", sorted(CATALOGUE.event_types))
def test_maximal_sample_fills_every_field(name: str) -> None:
    """The maximal sample leaves no field null and no array empty, so that a projection meets every branch."""
    event = json.loads((SAMPLES / name / "pass-maximal.json").read_text("utf-8"))

    assert list(_empty(event, "")) == []


def _empty(value: Any, path: str) -> Any:
    if value is None or value == []:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from _empty(inner, f"{path}.{key}")
    for inner in value if isinstance(value, list) else ():
        yield from _empty(inner, path)


@pytest.mark.parametrize("path", PASS + FAIL, ids=_id)
def test_sample_is_about_nobody(path: Path) -> None:
    """A sample is SYNTHETIC, from its owner, and its NHS numbers begin with 999, which are nobody's."""
    document = json.loads(path.read_text("utf-8"))
    event = document.get("event", document)

    assert event["environment"] == "SYNTHETIC"
    assert _event_type(path).owner == event["source"]["agency"]
    assert all(value.startswith("999") for value in _nhs_numbers(event))


def _nhs_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("scheme") == "nhs_number":
            yield value["value"]
        for inner in value.values():
            yield from _nhs_numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nhs_numbers(inner)


def test_event_ids_of_samples_are_all_different() -> None:
    """No two samples share an event_id, so that a feed of all of them loses none as a duplicate."""
    documents = [json.loads(path.read_text("utf-8")) for path in PASS + FAIL]
    ids = [document.get("event", document)["event_id"] for document in documents]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", sorted(CATALOGUE.event_types))
def test_rules_fit_the_schema(name: str) -> None:
    """Each rule of the catalogue names a known check, with parameters and paths that the check can judge."""
    event_type = CATALOGUE.event_types[name]

    validate_rules(event_type.checks, event_type.schema, FolderLists(), f"{name}.avsc")


@pytest.mark.parametrize("path", PASS, ids=_id)
def test_pass_sample_is_valid_by_fastavros_own_validation(path: Path) -> None:
    """fastavro's slow validator agrees that a pass sample fits its schema."""
    event = json.loads(path.read_text("utf-8"))

    assert validate(event, plain_schema(_event_type(path).schema), raise_errors=False, strict=True)
