"""How often things happen, by age and sex: the tables of `rates.toml`, year of age by year of age."""

from __future__ import annotations

import tomllib
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

AGES = 111
"""Ages are 0 to 110."""
FEMALE, MALE = 0, 1
DAY_MS = 86_400_000
STEPS = 1024
"""A delay is drawn from so many quantiles."""

Hazard = tuple[tuple[float, ...], tuple[float, ...]]
"""For each sex and year of age, how often a year."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The country's rates. Hazards are per person and year, shares between 0 and 1, delays milliseconds by quantile."""

    people: Hazard
    hazards: Mapping[str, Hazard]
    shares: Mapping[str, float]
    twins: tuple[float, ...]
    stillbirths: tuple[float, ...]
    partnered: tuple[float, ...]
    husband_older_by: tuple[int, ...]
    delays: Mapping[str, array[int]]
    registers: Mapping[str, float]


@cache
def rates() -> Rates:
    """The rates, read once a process."""
    tables = tomllib.loads((Path(__file__).parent / "rates.toml").read_text("utf-8"))
    births, partnerships, protection = tables["births"], tables["partnerships"], tables["protection"]
    return Rates(
        people=_people(tables),
        hazards={name: _hazard(tables[name]) for name in _HAZARDS} | {"deaths": _deaths(tables["deaths"])},
        shares={
            "jointly_registered": births["jointly_registered"] / 1e3,
            "civil": partnerships["civil"] / 1e3,
            "same_sex": partnerships["same_sex"] / 1e3,
            "name_at_marriage": tables["names"]["at_marriage"] / 1e3,
            "name_at_divorce": tables["names"]["at_divorce"] / 1e3,
            "practice_with_move": tables["practices"]["with_move"] / 1e3,
            "protected_location": protection["location"] / 1e5,
            "protected_full": protection["full"] / 1e5,
        },
        twins=_by_age(births["from_age"], births["twins"]),
        stillbirths=_by_age(births["from_age"], births["stillbirths"]),
        partnered=_by_age(partnerships["from_age"], partnerships["partnered"]),
        husband_older_by=tuple(partnerships["husband_older_by"]),
        delays={name: _delay(pairs) for name, pairs in tables["delays"].items()},
        registers={name.replace("_", "-"): float(a_year) for name, a_year in tables["registers"].items()},
    )


_HAZARDS = (
    "births", "partnerships", "divorces", "moves", "emigration", "immigration", "names", "practices", "records",
    "identities", "protection",
)  # fmt: skip


def _by_age(from_age: Sequence[int], values: Sequence[float], per: float = 1e3) -> tuple[float, ...]:
    return tuple(values[bisect_right(from_age, age) - 1] / per for age in range(AGES))


def _hazard(table: Mapping[str, Any]) -> Hazard:
    """One table by bands; a sex that it does not have never."""
    nothing = [0] * len(table["from_age"])
    both = table.get("both", nothing)
    return (
        _by_age(table["from_age"], table.get("female", both)),
        _by_age(table["from_age"], table.get("male", both)),
    )


def _deaths(table: Mapping[str, Any]) -> Hazard:
    return _interpolated(table["at_age"], table["female"]), _interpolated(table["at_age"], table["male"])


def _interpolated(ages: Sequence[int], per_100_000: Sequence[float]) -> tuple[float, ...]:
    """Between two ages of the table the rate grows by the same factor each year (Gompertz)."""
    found = []
    for age in range(AGES):
        at = min(bisect_right(ages, age), len(ages) - 1)
        low, high = per_100_000[at - 1], per_100_000[at]
        share = (age - ages[at - 1]) / (ages[at] - ages[at - 1])
        found.append(low * (high / low) ** share / 1e5)
    return tuple(found)


def _people(tables: Mapping[str, Any]) -> Hazard:
    """Shares of the population: a band's people are even over its years, the last band's as they survive."""
    table, dying = tables["people"], _deaths(tables["deaths"])
    whole = sum(table["female"]) + sum(table["male"])
    return tuple(_spread(table["from_age"], table[name], whole, dying[sex]) for sex, name in enumerate(_SEXES))  # type: ignore[return-value]


_SEXES = ("female", "male")


def _spread(
    from_age: Sequence[int], counts: Sequence[float], whole: float, dying: Sequence[float]
) -> tuple[float, ...]:
    weights = [1.0] * AGES
    for age in range(from_age[-1] + 1, AGES):
        weights[age] = weights[age - 1] * (1 - dying[age - 1])
    found = []
    for age in range(AGES):
        band = bisect_right(from_age, age) - 1
        end = from_age[band + 1] if band + 1 < len(from_age) else AGES
        found.append(counts[band] * weights[age] / sum(weights[from_age[band] : end]) / whole)
    return tuple(found)


def _delay(pairs: Sequence[Sequence[float]]) -> array[int]:
    """Milliseconds at the middle of each of `STEPS` equal shares, linear between the pairs."""
    found: array[int] = array("q")
    at = 1
    for step in range(STEPS):
        share = (step + 0.5) / STEPS
        while share > pairs[at][0]:
            at += 1
        (low, start), (high, end) = pairs[at - 1], pairs[at]
        found.append(int((start + (end - start) * (share - low) / (high - low)) * DAY_MS))
    return found
