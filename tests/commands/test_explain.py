"""`tidings explain` on the example country."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_processors import executors
from tests.agreements.test_example_country import country
from tests.commands.kit import tidings
from tidings.projection import explain

_BODY = ("subject", "deceased.names", "deceased.date_of_birth", "usual_residence.postcode", "informant")
_LISTED = [each.agreement for each in country().agreements if each.subjects.interest_list is not None]
AGREEMENTS = Path(__file__).resolve().parents[2] / "agreements"


def test_people_are_told_every_field_and_who_runs_it() -> None:
    """Scan, checks, filter, head, each field with its cost, the executor, and how the costs were got."""
    said = tidings("explain", "bereavement-benefits", "--country", AGREEMENTS)

    assert said.code == 0
    words = (
        "usual_residence.country in GB",
        "deceased.date_of_birth",
        "to=year",
        "hash",
        "runs by",
        "counted",
        "check",
    )
    assert [word for word in words if word not in said.out] == []


@pytest.mark.parametrize("name", ["bereavement-benefits", *_LISTED[:1]])
def test_machines_are_told_the_program(name: str) -> None:
    """One line of JSON with the program of each event type, as the native executor has it; nobody of a list."""
    said = tidings("explain", name, "--country", AGREEMENTS, "--json")
    made = json.loads(said.out)

    assert made["agreement"] == name
    feeds = [view["feed"] for inbox in made["inboxes"] for view in inbox["program"]["views"]]
    assert len(feeds) == len(country().find(name).events)
    assert [view for inbox in made["inboxes"] for view in inbox["program"]["views"] if view["interest"]] == []


def test_an_agreement_that_nobody_has_approved_is_explained(tmp_path: Path) -> None:
    """As it would run: it can be read before it is approved."""
    for path in AGREEMENTS.iterdir():
        text = path.read_text("utf-8") if path.is_file() else None
        if text is not None:
            kept = [line for line in text.splitlines() if "hash:" not in line and line != "approvals:"]
            (tmp_path / path.name).write_text(
                "\n".join(kept if path.stem == "bereavement-benefits" else text.splitlines()), "utf-8"
            )
        else:
            (tmp_path / path.name).symlink_to(path)
    said = tidings("explain", "bereavement-benefits", "--country", tmp_path)

    assert said.code == 0
    assert "feed.dwp.bereavement-benefits.v3.death-registered" in said.out


def test_times_are_of_this_machine_and_say_how() -> None:
    """By each executor that is here; no figure is asserted."""
    said = tidings("explain", "bereavement-benefits", "--country", AGREEMENTS, "--json", "--measure")
    [inbox] = json.loads(said.out)["inboxes"]
    [measured] = inbox["measured"]

    assert {"python", "reference"} <= set(measured["microseconds"])
    assert min(measured["microseconds"].values()) > 0
    assert set(measured["operations"]) == set(_BODY)
    assert all(set(times) == set(measured["head"]) for times in measured["operations"].values())


def test_people_are_told_what_each_field_takes() -> None:
    """Beside its class, in the row of the field."""
    said = tidings("explain", "bereavement-benefits", "--country", AGREEMENTS, "--measure")

    assert "us here" in said.out
    [row] = [line for line in said.out.splitlines() if "deceased.date_of_birth" in line and "generalise" in line]
    assert "generated Python " in row


def test_another_name_is_refused_with_those_there_are() -> None:
    """And nothing is printed as if it were one."""
    said = tidings("explain", "of-nobody", "--country", AGREEMENTS)

    assert said.code == 64
    assert "bereavement-benefits" in said.err


def test_executors_are_named_as_elsewhere() -> None:
    """`TIDINGS_PROJECTION` takes the words that are printed."""
    assert {explain.NATIVE, explain.PYTHON, explain.REFERENCE} <= set(executors.KINDS)
