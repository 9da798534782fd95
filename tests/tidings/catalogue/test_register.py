"""A register's definitions become an event type: datatypes, cardinality, names."""

from __future__ import annotations

from typing import Any

import fastavro
import pytest

from tidings.catalogue import HEAD
from tidings.catalogue.named_types import inline
from tidings.catalogue.register import (
    DATATYPES,
    RegisterDefinition,
    RegisterField,
    definition_from_rsf,
    event_type_of,
)
from tidings.errors import BadInput


def _event_type(*fields: RegisterField) -> dict[str, Any]:
    return event_type_of(RegisterDefinition("school-eng", "dfe", "Schools", fields), "school", {"owner": "dfe"})


def _body(*fields: RegisterField) -> list[dict[str, Any]]:
    return list(_event_type(*fields)["fields"][len(HEAD) :])


@pytest.mark.parametrize("datatype", sorted(DATATYPES))
@pytest.mark.parametrize("cardinality", ["1", "n"])
def test_every_datatype_in_both_cardinalities(datatype: str, cardinality: str) -> None:
    """Each datatype of the field register has its Avro type; n is an array with default [], 1 is nullable."""
    (field,) = _body(RegisterField("head-teacher", datatype, cardinality, "Text."))
    kind = DATATYPES[datatype]

    expected: tuple[Any, Any] = ({"type": "array", "items": kind}, []) if cardinality == "n" else (["null", kind], None)
    assert expected == (field["type"], field["default"])
    assert field["name"] == "head_teacher"


def test_unknown_datatype_and_cardinality_are_refused() -> None:
    """What the field register does not know is refused, both at once."""
    with pytest.raises(BadInput) as caught:
        _event_type(RegisterField("a", "poem", "1", ""), RegisterField("b", "string", "2", ""))

    assert [(each.field, each.rule) for each in caught.value.problems] == [("a", "datatype"), ("b", "cardinality")]


def test_it_is_an_event_type() -> None:
    """The head comes first, the key is named, and the record's name follows the event type's."""
    schema = _event_type(RegisterField("school-eng", "string", "1", "The school's code."))

    assert list(HEAD) == schema["fields"][: len(HEAD)]
    assert schema["name"] == "School"
    assert schema["fields"][-1]["doc"].startswith("The register's key.")


def test_generated_schema_is_avro() -> None:
    """With the shared types in place it parses."""
    from tidings.catalogue import default_catalogue_dir
    from tidings.catalogue.json_file import read_json
    from tidings.catalogue.load import TYPE_NAMESPACE

    types = {f"{TYPE_NAMESPACE}.{path.stem}": read_json(path).value for path in default_catalogue_dir().glob("types/*")}
    schema = _event_type(RegisterField("school-eng", "datetime", "n", "Text."))
    unknown: set[str] = set()

    fastavro.parse_schema(inline({key: schema[key] for key in schema if key != "catalogue"}, types, unknown))
    assert set() == unknown


def test_latest_definition_holds() -> None:
    """Of two system entries of one key, the later item defines the field."""
    items = [
        '{"cardinality":"1","datatype":"string","field":"a","text":"old"}',
        '{"cardinality":"n","datatype":"string","field":"a","text":"new"}',
        '{"fields":["a"],"register":"a","registry":"r","text":"A register"}',
    ]
    definition = definition_from_rsf(_rsf(items, ["field:a", "field:a", "register:a"]), "x.rsf")

    assert (RegisterField("a", "string", "n", "new"),) == definition.fields


def test_missing_definition_is_refused() -> None:
    """A field that the register lists and nobody defines is refused by name."""
    items = ['{"fields":["a"],"register":"a","registry":"r","text":"A register"}']
    with pytest.raises(BadInput) as caught:
        definition_from_rsf(_rsf(items, ["register:a"]), "x.rsf")

    assert [(each.field, each.rule) for each in caught.value.problems] == [("a", "field-definition")]


def test_missing_item_is_refused() -> None:
    """A system entry whose item is not in the file is refused."""
    lines = [f"append-entry\tsystem\tregister:a\t2020-01-01T00:00:00Z\tsha-256:{'0' * 64}"]
    with pytest.raises(BadInput) as caught:
        definition_from_rsf(lines, "x.rsf")

    assert [each.rule for each in caught.value.problems] == ["item"]


def _rsf(items: list[str], keys: list[str]) -> list[str]:
    from hashlib import sha256

    lines = [f"add-item\t{item}" for item in items]
    for item, key in zip(items, keys, strict=True):
        hashed = sha256(item.encode()).hexdigest()
        lines.append(f"append-entry\tsystem\t{key}\t2020-01-01T00:00:00Z\tsha-256:{hashed}\n")
    return lines
