"""The event types hold what the real files say: each element of the GRO extract has a field."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest
from lxml import etree

from tidings.catalogue import default_catalogue_dir, field_map, load_catalogue, plain_schema

CATALOGUE = load_catalogue(default_catalogue_dir())
EXTRACT = Path(__file__).resolve().parents[3] / "shared" / "data" / "gro" / "death-extract.xml"

GRO = {
    "RegistrationID": "record_id",
    "RecordUpdateDateTime": "recorded_at",
    "RecordLockedDateTime": "locked_at",
    "RecordUpdateReason": "reason",
    "DeceasedName": "deceased.names",
    "DeceasedAliasName": "deceased.aliases",
    "DeceasedAliasNameType": "deceased.alias_types",
    "DeceasedMaidenName": "deceased.maiden_names",
    "DeceasedGender": "deceased.sex",
    "DeceasedDeathDate": "occurred_on",
    "PartialMonthOfDeath": "occurred_on.month",
    "PartialYearOfDeath": "occurred_on.year",
    "FreeFormatDeathDate": "occurred_on.text",
    "DeceasedBirthDate": "deceased.date_of_birth",
    "PartialMonthOfBirth": "deceased.date_of_birth.month",
    "PartialYearOfBirth": "deceased.date_of_birth.year",
    "FreeFormatBirthDate": "deceased.date_of_birth.text",
    "DeceasedAddress": "usual_residence",
    "PersonNameTitle": "deceased.names.prefix",
    "PersonGivenName": "deceased.names.given",
    "PersonFamilyName": "deceased.names.family",
    "PersonNameSuffix": "deceased.names.suffix",
    "PersonBirthDate": "deceased.date_of_birth.day",
    "PersonDeathDate": "occurred_on.day",
    "VerificationLevel": "deceased.date_of_birth.verification",
    "Flat": "usual_residence.lines",
    "Building": "usual_residence.lines",
    "Line": "usual_residence.lines",
    "Postcode": "usual_residence.postcode",
}
AROUND = {"DeathRegistrationGroup", "DeathRegistration", "RecordCount"}


@pytest.mark.real_data
@pytest.mark.skipif(not EXTRACT.exists(), reason="../shared/data/gro is absent")
def test_every_element_of_the_gro_extract_has_a_field() -> None:
    """No element of the real extract is without a place, and each place exists."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.parse(str(EXTRACT), parser).getroot()
    names = {etree.QName(element).localname for element in root.iter()} - AROUND
    fields = field_map(CATALOGUE.event_types["death-registered"].schema)

    assert names == set(GRO)
    assert set(GRO.values()) <= fields.keys()


def test_aliases_need_not_pair_with_their_types() -> None:
    """Four aliases and one alias type, as in the real extract, are held as they are."""
    event_type = CATALOGUE.event_types["death-registered"]
    sample = default_catalogue_dir() / "samples" / "death-registered" / "pass-typical.json"
    event = json.loads(sample.read_text("utf-8"))
    event["deceased"].update(aliases=event["deceased"]["aliases"][:1] * 4, alias_types=["formerly known as"])
    parsed = fastavro.parse_schema(plain_schema(event_type.schema))
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parsed, event)
    read: Any = fastavro.schemaless_reader(io.BytesIO(out.getvalue()), parsed)

    assert read == event
    assert len(read["deceased"]["aliases"]) == 4
