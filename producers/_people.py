"""The simulated population: people who are nobody, each made from a number, so that the same number is the same
person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

GIVEN = (
    *("Ada", "Bryn", "Cora", "Dilys", "Edwin", "Freya", "Gareth", "Hetty", "Idris", "Jory", "Keren", "Lowen"),
    *("Morag", "Nerys", "Orla", "Perran", "Quill", "Rhona", "Senara", "Tamsin", "Una", "Vaughan", "Wenna", "Yestin"),
)
FAMILY = (
    *("Ashdown", "Birtle", "Carrow", "Dunmere", "Ellwick", "Farrowby", "Gilcrux", "Hathersby", "Inchmore", "Jarrick"),
    *("Kelmarsh", "Lanyard", "Morwick", "Nethercote", "Ormsgill", "Penwarne", "Quernmore", "Ravensby", "Selwick"),
    *("Thornaby", "Ulverdale", "Varley", "Wharram", "Yarrowby"),
)
STREETS = ("Nowhere Lane", "Sample Street", "Fiction Road", "Invented Close", "Made Up Row", "Pretend Avenue")
TOWNS = ("Noton", "Sampleby", "Fabledon", "Mythwick", "Port Imaginary")

FICTIONAL_SCHEME = "simulated_person"
"""Where NHS numbers from 999 run out, and for the tenth of them that has no check digit."""
NHS_RANGE = 1_000_000


WATCHED = (1, 2, 3)
"""The people of the example country's interest list (agreements/interest): more happens to them than to others."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person. `number` makes all else; `mix` is its scrambled form, from which choices are drawn."""

    number: int
    mix: int
    scheme: str
    value: str
    protection: str


@lru_cache(maxsize=65_536)
def person(number: int, seed: int) -> Person:
    """The person of a number, in the population of a seed."""
    mix = scramble(number * 0x9E3779B1 + seed * 0x85EBCA6B)
    protection = "FULL" if mix % 997 == 0 else "LOCATION" if mix % 211 == 0 else "NONE"
    nhs = nhs_number(number) if number < NHS_RANGE else None
    if nhs is None:
        return Person(number, mix, FICTIONAL_SCHEME, f"S{number:010d}", protection)
    return Person(number, mix, "nhs_number", nhs, protection)


def nhs_number(number: int) -> str | None:
    """The NHS number of 999 and six digits; None where modulus 11 gives no digit. Numbers from 999 are nobody's (the
    range is set aside for tests). Source: NHS Data Dictionary, "NHS NUMBER"."""
    nine = f"999{number:06d}"
    check = 11 - sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), nine, strict=True)) % 11
    return None if check == 10 else f"{nine}{check % 11}"


def scramble(value: int) -> int:
    """A well mixed 64-bit number. Source: SplitMix64's finaliser."""
    value &= 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 31)


def name(one: Person, use: str = "OFFICIAL", family_shift: int = 0) -> dict[str, Any]:
    """The person's name; another family name for another `family_shift`."""
    mix = one.mix
    return {
        "use": use,
        "prefix": None,
        "given": [GIVEN[mix % 24], GIVEN[(mix >> 8) % 24]] if mix & 64 else [GIVEN[mix % 24]],
        "family": FAMILY[((mix >> 16) + family_shift) % 24],
        "suffix": None,
        "period": None,
    }


def sex(one: Person) -> str:
    """The person's sex as registers write it."""
    part = (one.mix >> 24) % 1000
    return "FEMALE" if part < 497 else "MALE" if part < 994 else "NOT_SPECIFIED" if part < 997 else "INDETERMINATE"


def birthday(one: Person) -> dict[str, Any]:
    """A date of birth between 1926 and 2006, of which one in forty lacks the day."""
    mix = one.mix >> 32
    day = None if mix % 40 == 0 else 1 + (mix >> 4) % 28
    return date(1926 + (mix >> 12) % 81, 1 + (mix >> 20) % 12, day)


def date(year: int, month: int | None, day: int | None) -> dict[str, Any]:
    """A PartialDate without a time."""
    return {"year": year, "month": month, "day": day, "time": None, "zone": None, "text": None, "verification": None}


def address(one: Person, move: int, use: str = "HOME") -> dict[str, Any]:
    """Where the person lives after so many moves. The postcode areas ZZ and QQ belong to nowhere."""
    mix = scramble(one.mix + move)
    area = "ZZ" if mix & 1 else "QQ"
    unit = "ABDEFGHJ"[(mix >> 24) % 8] + "LNPQRSTU"[(mix >> 28) % 8]
    return {
        "use": use,
        "lines": [f"{1 + mix % 180} {STREETS[(mix >> 8) % 6]}", TOWNS[(mix >> 12) % 5]],
        "postcode": f"{area}{1 + (mix >> 16) % 9} {(mix >> 20) % 10}{unit}",
        "country": "GB",
        "period": None,
    }


def record(one: Person, move: int = 0, family_shift: int = 0) -> dict[str, Any]:
    """The person as the shared type Person."""
    return {
        "identifiers": [],
        "names": [name(one, family_shift=family_shift)],
        "sex": sex(one),
        "date_of_birth": birthday(one),
        "date_of_death": None,
        "addresses": [address(one, move)],
        "place_of_birth": None,
        "occupation": None,
        "ethnic_category": None,
        "general_practice": None,
        "registration_period": None,
    }
