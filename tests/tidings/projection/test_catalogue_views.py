"""The real event types: every field can be kept, and every view schema stands on its own."""

from __future__ import annotations

import json

import fastavro
import pytest

from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.policy.model import FieldRule
from tidings.projection import derive_view_schema

CATALOGUE = load_catalogue(default_catalogue_dir())


@pytest.mark.parametrize("name", sorted(CATALOGUE.event_types))
@pytest.mark.parametrize("mask", ["keep", "redact", "encrypt"])
def test_every_field_of_every_event_type(name: str, mask: str) -> None:
    """Each body field takes the masks that take everything; the schema is valid Avro, deterministic and documented."""
    schema = CATALOGUE.event_types[name].schema
    heads = ("event_id", "record_id")
    rules = [FieldRule(path=item["name"], mask=mask) for item in schema["fields"] if item["name"] not in heads]
    made, again = (
        derive_view_schema(schema, rules, subscriber="dwp", agreement="all-of-it", agreement_version=1) for _ in "ab"
    )
    assert json.dumps(made) == json.dumps(again)
    fastavro.parse_schema(json.loads(json.dumps(made)))
    assert all(item["doc"] and item["category"] and item["mask"] for item in made["fields"])
