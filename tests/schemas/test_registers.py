"""Register event types are what their registers' own definitions make."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidings.catalogue import default_catalogue_dir, walk
from tidings.catalogue.json_file import read_json
from tidings.catalogue.write_countries import countries_of
from tidings.catalogue.write_register import register_event_type
from tidings.checks.reference_lists import FolderLists

SCHEMAS = default_catalogue_dir().parent
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "registers"
COUNTRY_RSF = REAL / "country.rsf"
needs_real_data = pytest.mark.skipif(not COUNTRY_RSF.exists(), reason="../shared/data/registers is absent")


@pytest.mark.real_data
@needs_real_data
def test_country_is_generated_from_its_system_entries() -> None:
    """Generating again from the register's system entries gives the file that is checked in."""
    text = register_event_type(COUNTRY_RSF, "country", SCHEMAS / "registers" / "country.catalogue.json")

    assert (SCHEMAS / "avro" / "country.avsc").read_text("utf-8") == text


def test_local_authority_is_generated_from_its_definition() -> None:
    """Generating again from the definition gives the file that is checked in."""
    text = register_event_type(SCHEMAS / "registers" / "local-authority-eng.json", "local-authority")

    assert (SCHEMAS / "avro" / "local-authority.avsc").read_text("utf-8") == text


@pytest.mark.real_data
@needs_real_data
def test_local_authority_has_the_columns_of_the_real_file() -> None:
    """The definition's fields are the header of the published table, in its order."""
    header = (REAL / "local-authority-eng.tsv").read_text("utf-8").splitlines()[0].split("\t")
    definition = read_json(SCHEMAS / "registers" / "local-authority-eng.json").value

    assert header == walk.get(definition, "register.fields")


@pytest.mark.real_data
@needs_real_data
def test_countries_are_derived_from_the_register() -> None:
    """Deriving the list again gives the file that is checked in."""
    with COUNTRY_RSF.open(encoding="utf-8") as lines:
        text = countries_of(lines, COUNTRY_RSF.name)

    assert (SCHEMAS / "reference" / "countries.csv").read_text("utf-8") == text


def test_countries_hold_what_checks_ask() -> None:
    """GB and an ended country are in the list; ENGLAND is not a code of the register."""
    codes = FolderLists()("countries")

    assert {"GB", "SU"} <= codes
    assert "ENGLAND" not in codes
    assert len(codes) == 199
