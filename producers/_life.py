"""What happens to the simulated people: one builder an event type, each the body of an event about one person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from producers import _people as people
from producers._people import Person


@dataclass(frozen=True, slots=True)
class Moment:
    """What a builder is told: the subject, another person, a draw of 32 bits, and the day that it happens on."""

    subject: Person
    other: Person
    draw: int
    day: Mapping[str, Any]


Builder = Callable[[Moment], dict[str, Any]]


def _birth(moment: Moment) -> dict[str, Any]:
    child = people.record(moment.subject) | {"date_of_birth": dict(moment.day), "addresses": []}
    return {
        "child": child,
        "mother": people.record(moment.other),
        "stillbirth": moment.draw % 250 == 0,
        "birth_order": 1,
        "births_at_delivery": 1,
    }


def _birth_registered(moment: Moment) -> dict[str, Any]:
    return _birth(moment) | {
        "place_of_birth": people.address(moment.other, 1, "PLACE"),
        "registered_on": dict(moment.day),
        "registration_district": people.TOWNS[moment.draw % 5],
    }


def _birth_notified(moment: Moment) -> dict[str, Any]:
    return _birth(moment) | {"birth_weight_grams": 1800 + moment.draw % 2700, "gestation_weeks": 34.0 + moment.draw % 8}


def _death_registered(moment: Moment) -> dict[str, Any]:
    one = moment.subject
    return {
        "deceased": {
            "names": [people.name(one)],
            "aliases": [],
            "alias_types": [],
            "maiden_names": [people.FAMILY[moment.draw % 24]] if moment.draw % 5 == 0 else [],
            "sex": people.sex(one),
            "date_of_birth": people.birthday(one),
            "occupation": None,
        },
        "usual_residence": people.address(one, 0),
        "cause_of_death": "simulated",
        "registration_district": people.TOWNS[moment.draw % 5],
    }


def _death_notified(moment: Moment) -> dict[str, Any]:
    status = "FORMAL" if moment.draw % 3 else "INFORMAL"
    return {"status": status, "person": people.record(moment.subject)}


def _partnership_registered(moment: Moment) -> dict[str, Any]:
    return {
        "person": people.record(moment.subject),
        "partner": people.record(moment.other),
        "partnership_kind": "CIVIL_PARTNERSHIP" if moment.draw % 9 == 0 else "MARRIAGE",
        "place": people.address(moment.other, 2, "PLACE"),
    }


def _partnership_ended(moment: Moment) -> dict[str, Any]:
    return {
        "person": people.record(moment.subject),
        "partner": people.record(moment.other),
        "partnership_kind": "MARRIAGE",
        "ending": "DIVORCE",
    }


def _address_changed(moment: Moment) -> dict[str, Any]:
    move = 3 + moment.draw % 50
    return {
        "new_address": people.address(moment.subject, move),
        "previous_addresses": [people.address(moment.subject, move - 1, "OLD")],
        "person": people.record(moment.subject, move),
    }


def _name_changed(moment: Moment) -> dict[str, Any]:
    return {
        "new_name": people.name(moment.subject, family_shift=1 + moment.draw % 23),
        "previous_names": [people.name(moment.subject, "OLD")],
        "person": people.record(moment.subject),
    }


def _gp_changed(moment: Moment) -> dict[str, Any]:
    practice = {"role": "practice", "scheme": "ods_code", "value": f"Y{moment.draw % 90000:05d}", "name": None}
    return {"new_practice": practice, "person": people.record(moment.subject)}


def _protection_changed(moment: Moment) -> dict[str, Any]:
    level = ("NONE", "LOCATION", "FULL")[moment.draw % 3]
    return {"level": level, "previous_level": "LOCATION" if level == "NONE" else "NONE"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event type of the simulation: who publishes it, how often it happens (a weight), and how its body is made."""

    event_type: str
    agency: str
    weight: int
    build: Builder


HAPPENINGS: tuple[Happening, ...] = (
    Happening("address-changed", "nhs-pds", 30, _address_changed),
    Happening("birth-registered", "gro", 16, _birth_registered),
    Happening("birth-notified", "nhs-pds", 8, _birth_notified),
    Happening("death-registered", "gro", 18, _death_registered),
    Happening("death-notified", "nhs-pds", 8, _death_notified),
    Happening("gp-registration-changed", "nhs-pds", 8, _gp_changed),
    Happening("name-changed", "hmpo", 5, _name_changed),
    Happening("partnership-registered", "gro", 4, _partnership_registered),
    Happening("partnership-ended", "gro", 2, _partnership_ended),
    Happening("protection-changed", "protection-office", 1, _protection_changed),
)
BY_TYPE: Mapping[str, Happening] = MappingProxyType({each.event_type: each for each in HAPPENINGS})
