"""The simulator: the same seed is the same bytes, and each event is what it says it is."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from producers._faults import FAULTS
from producers._people import NHS_RANGE, nhs_number
from producers.encode import Encoder
from producers.simulator import simulate
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.checks import Checker, FolderLists
from tidings.checks.identifier_checksum import valid
from tidings.clock import StillClock
from tidings.errors import Severity

CATALOGUE = load_catalogue(default_catalogue_dir())
ENCODERS = {name: Encoder(each.owner, name, 1, each.schema) for name, each in CATALOGUE.event_types.items()}
NOW_MS = StillClock().now_ms()


def digest(seed: int, events: int = 2_000) -> str:
    """The SHA-256 of all records of a seed."""
    total = hashlib.sha256()
    for each in simulate(events, seed, 0.1):
        record = each.wire(ENCODERS[each.event_type])
        total.update(repr((record.topic, record.key, record.value)).encode())
    return total.hexdigest()


def test_the_same_seed_is_the_same_bytes() -> None:
    """Two runs of one seed are equal byte for byte, and another seed is another country."""
    assert digest(5) == digest(5)
    assert digest(5) != digest(6)


def test_each_event_gets_the_findings_that_it_expects() -> None:
    """Good events pass every check without so much as a flag; a spoiled one is refused for its one reason only."""
    checkers = {name: Checker(each.checks, FolderLists()) for name, each in CATALOGUE.event_types.items()}
    for each in simulate(3_000, 11, 0.2):
        findings = checkers[each.event_type].run(each.event, NOW_MS)
        refused = tuple(str(finding) for finding in findings if finding.severity is Severity.REJECT)
        if each.expected == "rejected":
            assert refused == tuple(code for code in each.codes if ":" in code)
        else:
            assert not findings


def test_all_kinds_are_there() -> None:
    """Every fault, every change, duplicates and used ids occur, and bad records at the share asked for."""
    made = list(simulate(6_000, 2, 0.1))

    assert {each.name for each in FAULTS} == {each.fault.name for each in made if each.fault is not None}
    assert {"CREATED", "CORRECTED", "ANNULLED", "REINSTATED"} == {each.event["change"] for each in made}
    assert {each.event["protection"] for each in made} == {"NONE", "LOCATION", "FULL"}
    assert ("event_id_reused",) in {each.codes for each in made}
    counts = Counter(each.expected for each in made)
    assert 0.08 < counts["rejected"] / 6_000 < 0.12
    assert counts["duplicate"]


def test_an_agency_publishes_only_what_it_owns() -> None:
    """Each event goes to the inbox of its type's owner."""
    for each in simulate(2_000, 4, 0.0):
        assert CATALOGUE.event_types[each.event_type].owner == each.agency == each.event["source"]["agency"]


def test_nobody_is_meant() -> None:
    """NHS numbers begin with 999 and pass their checksum, one in eleven has none, and all events are synthetic."""
    numbers = [nhs_number(number) for number in range(0, NHS_RANGE, 997)]

    assert all(number is None or (number.startswith("999") and valid("nhs_number", number)) for number in numbers)
    assert 0.07 < numbers.count(None) / len(numbers) < 0.11
    assert {each.event["environment"] for each in simulate(500, 1, 0.0)} == {"SYNTHETIC"}


def test_the_count_is_exact() -> None:
    """A partnership is two events, and yet no event too many is made."""
    assert [len(list(simulate(number, 9))) for number in range(30)] == list(range(30))


def test_arguments_are_held_to_their_range() -> None:
    """A share is between 0 and 1."""
    with pytest.raises(ValueError, match="share"):
        simulate(1, 1, 1.5)
