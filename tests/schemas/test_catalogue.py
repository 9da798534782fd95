"""The checked-in catalogue holds to the design: the head to the letter, owners, categories, two parsers, evolution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import avro.schema
import fastavro
import pytest

from tidings import topics
from tidings.catalogue import HEAD, HEAD_NAMES, default_catalogue_dir, fields_of, load_catalogue, plain_schema
from tidings.catalogue.evolution import breaking_changes
from tidings.catalogue.fields import CATEGORIES
from tidings.catalogue.render import render
from tidings.checks.table import CHECKS
from tidings.projection.heads import EXCHANGE_FIELDS

FOLDER = default_catalogue_dir()
CATALOGUE = load_catalogue(FOLDER, known_checks=CHECKS)
NAMES = sorted(CATALOGUE.event_types)
FILES = sorted(FOLDER.glob("*.avsc")) + sorted((FOLDER / "types").glob("*.avsc"))

DESIGN_HEAD = """event_id change reason record_id record_version supersedes life_event_id recorded_at received_at
occurred_on source subject identifiers related protection environment"""


def test_head_is_the_designs() -> None:
    """The head has the fields of DESIGN.md's table, in its order."""
    assert DESIGN_HEAD.split() == list(HEAD_NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_file_starts_with_the_head_to_the_letter(name: str) -> None:
    """The lines of the head are the same text, and the first fields, in every event type's file."""
    text = (FOLDER / f"{name}.avsc").read_text("utf-8")
    head = ",\n".join(f"    {json.dumps(field, ensure_ascii=False)}" for field in HEAD)

    assert f'  "fields": [\n{head},\n' in text


@pytest.mark.parametrize("name", NAMES)
def test_no_field_has_the_name_of_a_views_own(name: str) -> None:
    """Every field of every event type can be disclosed: the exchange writes none of that name into a view itself."""
    assert not {field["name"] for field in CATALOGUE.event_types[name].schema["fields"]} & set(EXCHANGE_FIELDS)


def test_event_types_are_those_of_the_first_release() -> None:
    """The folder is the list, and holds every event type that the first release promises."""
    expected = """address-changed birth-notified birth-registered country death-notified death-registered
    gp-registration-changed identity-changed local-authority name-changed partnership-ended partnership-registered
    protection-changed record-changed"""

    assert expected.split() == NAMES


def test_authorities_register_and_the_nhs_notifies() -> None:
    """The General Register Office owns what is registered, the NHS what is notified."""
    owners = {name: event_type.owner for name, event_type in CATALOGUE.event_types.items()}

    assert {"gro"} == {owner for name, owner in owners.items() if name.endswith("-registered")}
    assert {"nhs-pds"} == {owner for name, owner in owners.items() if name.endswith("-notified")}


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete(name: str) -> None:
    """Each event type has an owner that makes a topic, a mailbox at its owner, bounds, and at least one check."""
    event_type = CATALOGUE.event_types[name]

    assert f"inbox.{event_type.owner}.{name}" == topics.inbox(event_type.owner, name)
    assert event_type.contact.endswith(f"@{event_type.owner}.example")
    assert 1 <= event_type.partitions <= 3
    assert 7 <= event_type.retention_days <= 30
    assert event_type.checks


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_doc_and_category(name: str) -> None:
    """Every field, inside shared types too, says what it is and how sensitive."""
    for info in fields_of(CATALOGUE.event_types[name].schema):
        assert info.doc, info.path
        assert info.category in CATEGORIES, info.path


@pytest.mark.parametrize("name", NAMES)
def test_both_avro_libraries_parse_it(name: str) -> None:
    """The standalone schema, and the plain one, are Avro to fastavro and to Apache's own library."""
    schema = CATALOGUE.event_types[name].schema

    for each in (schema, plain_schema(schema)):
        mine: Any = fastavro.parse_schema(each)
        apaches: Any = avro.schema.parse(json.dumps(each))
        assert mine["name"] == f"tidings.events.{schema['name']}"
        assert apaches.fullname == f"tidings.events.{schema['name']}"


@pytest.mark.parametrize("name", NAMES)
def test_plain_schema_has_no_logical_type(name: str) -> None:
    """Values stay as they are on the wire, and nothing else of the schema changes."""
    schema = CATALOGUE.event_types[name].schema

    assert "logicalType" in json.dumps(schema)
    assert "logicalType" not in json.dumps(plain_schema(schema))
    assert [info.path for info in fields_of(schema)] == [info.path for info in fields_of(plain_schema(schema))]


@pytest.mark.parametrize("name", NAMES)
def test_catalogue_entry_is_not_registered(name: str) -> None:
    """What the catalogue settles is no part of the schema that readers get."""
    assert "catalogue" not in CATALOGUE.event_types[name].schema


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_has_the_one_form(path: Path) -> None:
    """One field a line: rendering what was read gives the same text."""
    text = path.read_text("utf-8")

    assert text == render(json.loads(text))


def test_every_shared_type_is_used() -> None:
    """No shared type lies unused."""
    text = "".join(path.read_text("utf-8") for path in FILES)
    unused = [path.stem for path in (FOLDER / "types").glob("*.avsc") if f'"tidings.types.{path.stem}"' not in text]

    assert unused == []


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("birth", "death"))])
def test_stillbirths_are_in_no_feed_by_default(name: str) -> None:
    """Births and deaths mark stillbirths, and keep them from every agreement that does not name the field itself."""
    (condition,) = CATALOGUE.event_types[name].default_where

    assert (
        condition.path,
        condition.op,
        condition.values,
        condition.missing,
    ) == ("stillbirth", "not_in", (True,), "include")
    assert condition.values[0] is True


@pytest.mark.parametrize("name", NAMES)
def test_versions_are_fully_compatible(name: str) -> None:
    """FULL_TRANSITIVE: every version of an event type reads what every other one wrote."""
    assert breaking_changes(CATALOGUE.event_types[name].versions) == []


def test_special_and_child_fields_say_so() -> None:
    """The fields that need an article 9 condition or a `minors` clause carry the category that asks for it."""
    categories = {
        (name, info.path): info.categories
        for name, event_type in CATALOGUE.event_types.items()
        for info in fields_of(event_type.schema)
    }

    assert "special" in categories["death-registered", "cause_of_death"]
    assert "special" in categories["birth-notified", "child.ethnic_category"]
    assert "child" in categories["birth-registered", "child.names.family"]
    assert "location" in categories["death-registered", "usual_residence.country"]


@pytest.mark.parametrize("name", ["birth-registered", "death-registered", "partnership-registered"])
def test_a_registration_district_tells_a_location(name: str) -> None:
    """Of a protected person it is taken away: it is where the person lives, or nearly."""
    found = {info.path: info.categories for info in fields_of(CATALOGUE.event_types[name].schema)}

    assert "location" in found["registration_district"]
