"""Births and deaths, and what the registers tell of them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import NamedTuple

from producers.simulation.life import Draw, Facts, Life
from producers.simulation.partnerships import end_of
from producers.simulation.people import FAMILY, GONE, HOME, NOBODY, PARTNER, STATE, packed
from producers.simulation.pieces import EPOCH_DAY, flag, vocabulary, whole_number
from producers.simulation.portraits import ROLES, Body, Likeness, Related
from producers.simulation.rates import AGES, DAY_MS, FEMALE, MALE
from producers.simulation.shapes import CHANGED
from producers.simulation.splice import SOME, array, text
from producers.simulation.types import choice, types
from producers.simulation.versions import APART_MS, NO_LIFE, Fact

BETWEEN_BIRTHS_DAYS = 270
NEONATAL = 0.5
"""Of the deaths before the first birthday, how many come in the first month, by the agenda; the rest come by age."""
BOYS_OF_1000 = 513
NO_NAMES = array(())


class Birth(NamedTuple):
    """One child of a delivery."""

    child: int
    mother: int
    father: int
    day: int
    stillborn: bool
    order: int
    births: int
    joined: bytes


def give_birth(life: Life, draws: Sequence[Draw]) -> None:
    """Deliveries: of twins, each is an event of its own; a stillbirth is one that few may hear of."""
    of, rates, words, facts = life.people.of, life.rates, life.words, Facts()
    for mother, bits, day in draws:
        if day - life.delivered_on.get(mother, -BETWEEN_BIRTHS_DAYS) < BETWEEN_BIRTHS_DAYS:
            continue
        life.delivered_on[mother] = day
        word, year = next(words), of[mother] >> 9
        age = min(AGES - 1, max(0, life.year - year))
        births = 2 if word & 0xFFFF < rates.twins[age] * 0x10000 else 1
        joined = life.scribe.life_event() if births > 1 else NO_LIFE
        father = of[mother + PARTNER]
        if father == NOBODY and word >> 16 & 0xFFFF < rates.shares["jointly_registered"] * 0x10000:
            father = life.find(year - 2, MALE, alone=False)
        named_as = mother if father == NOBODY or bits & 7 == 0 else father
        for order in range(1, births + 1):
            child, stillborn = _child(life, mother, named_as, day, rates.stillbirths[age])
            _tell_of_birth(life, Birth(child, mother, father, day, stillborn, order, births, joined), facts)
    facts.tell(life.scribe)


def _child(life: Life, mother: int, named_as: int, day: int, stillbirths: float) -> tuple[int, bool]:
    """A new person of the county, and whether it is stillborn. Whether it dies within a month is set already."""
    people, traits, fate = life.people, next(life.words), next(life.words)
    sex = MALE if traits >> 48 < BOYS_OF_1000 * 0x10000 // 1000 else FEMALE
    child = people.add(packed(date.fromordinal(EPOCH_DAY + day)), sex, traits, people.of[mother + HOME])
    people.of[child + FAMILY] = people.of[named_as + FAMILY]
    stillborn = (fate & 0xFFFFFF) < stillbirths * 0x1000000
    if stillborn:
        people.of[child + STATE] |= GONE
    elif fate >> 24 & 0xFFFFFF < life.rates.hazards["deaths"][sex][0] * NEONATAL * 0x1000000:
        life.agenda[day + 1 + (traits & 0xFF) * 28 // 256].append(child)
    return child, stillborn


def _tell_of_birth(life: Life, birth: Birth, facts: Facts) -> None:
    portraits, day, occurred = life.portraits, birth.day, life.days[birth.day]
    word, mother, father = next(life.words), birth.mother, birth.father
    nameless = birth.stillborn and bool(word & 1)
    child, mothers = portraits.person(birth.child), portraits.person(mother)
    related: tuple[Related, ...] = ((ROLES["mother"], mother, mothers),)
    written: Body = (
        child, mothers, _FLAGS[birth.stillborn],
        _NUMBERS[birth.order], _NUMBERS[birth.births],
    )  # fmt: skip
    weight = _weights()[word >> 1 & (0x3F if birth.births == 1 else 0x1F)]
    notified = (*written, weight, _weeks()[word >> 7 & 0x3F], _hospitals()[word >> 13 & 0xF])
    notified_ms = life.recorded_ms("birth_notified", day)
    fact = Fact(birth.child, notified_ms, occurred, notified, birth.joined, related)
    facts["birth-notified/nameless" if nameless else "birth-notified"].append(fact)
    of_father: tuple[bytes, ...] = ()
    if father != NOBODY:
        of_father = (portraits.person(father),)
        related = (*related, (ROLES["father"], father, *of_father))
    registered_ms = life.recorded_ms("birth_registered", day)
    registered = (
        *written, *of_father, word >> 32, life.days[registered_ms // DAY_MS],
        portraits.district(life.people.of[mother + HOME]),
    )  # fmt: skip
    fact = Fact(birth.child, registered_ms, occurred, registered, birth.joined, related)
    facts[_REGISTERED[nameless, father != NOBODY]].append(fact)


_FLAGS = {value: flag(value) for value in (False, True)}
_NUMBERS = [whole_number(number) for number in range(4)]
_REGISTERED = {
    (False, False): "birth-registered",
    (True, False): "birth-registered/nameless",
    (False, True): "birth-registered/father",
    (True, True): "birth-registered/nameless-father",
}


def die(life: Life, draws: Sequence[Draw]) -> None:
    """Deaths: the NHS hears of one, perhaps informally at first; it is registered; a partnership ends with it."""
    of, portraits, facts = life.people.of, life.portraits, Facts()
    for person, bits, day in draws:
        if of[person + STATE] & GONE:
            continue
        of[person + STATE] |= GONE
        partner, portrait = life.part(person), portraits.person(person)
        occurred = life.months[day] if bits >> 14 & 63 == 0 else life.days[day]
        _notify_of_death(life, person, bits, day, (occurred, portrait), facts)
        registered_ms = life.recorded_ms("death_registered", day)
        maiden = array([portraits.family(bits >> 8)]) if bits >> 4 & 7 == 0 else NO_NAMES
        body = (
            portrait, maiden, portrait, of[person + HOME], _causes()[bits & 3],
            life.days[registered_ms // DAY_MS], portraits.district(of[person + HOME]),
        )  # fmt: skip
        facts["death-registered"].append(Fact(person, registered_ms, occurred, body))
        if partner != NOBODY:
            facts["partnership-ended"].append(end_of(life, partner, person, registered_ms, day, "DEATH", NO_LIFE))
    facts.tell(life.scribe)


def _notify_of_death(life: Life, person: int, bits: int, day: int, told: tuple[bytes, Likeness], facts: Facts) -> None:
    scribe, (occurred, portrait) = life.scribe, told
    formal_ms = life.recorded_ms("death_formal", day)
    formal = (choice("DeathStatus", "FORMAL"), life.days[formal_ms // DAY_MS], portrait)
    if bits >> 20 & 3:
        facts["death-notified"].append(Fact(person, formal_ms, occurred, formal))
        return
    informal_ms = life.recorded_ms("death_informal", day)
    informal = (choice("DeathStatus", "INFORMAL"), life.days[informal_ms // DAY_MS], portrait)
    before = scribe.begin("death-notified", Fact(person, informal_ms, occurred, informal))
    scribe.go_on(scribe.shapes["death-notified"], before, max(formal_ms, informal_ms + APART_MS), formal, CHANGED)


@cache
def _weights() -> list[bytes]:
    """Weights at birth in grams, of which the lower half is twins'. Assumption."""
    return [whole_number(1800 + 40 * at + at * at % 37) for at in range(64)]


@cache
def _weeks() -> list[bytes]:
    """Weeks of gestation: one in thirteen is below 37. Source: ONS, "Birth characteristics in England and Wales"."""
    days = [286 - at % 15 if at < 59 else 258 - 12 * (at - 59) for at in range(64)]
    return [SOME + struct.pack("<d", each / 7) for each in days]


@cache
def _hospitals() -> list[bytes]:
    """Where children are delivered: the whole list of organisations."""
    named = {"role": "delivery_place", "scheme": "ods_code"}
    return [
        array([types().constant("Organisation", named | {"value": f"YH{at:03d}", "name": f"Simulated Hospital {at}"})])
        for at in range(16)
    ]


@cache
def _causes() -> list[bytes]:
    return [SOME + text(each) for each in vocabulary()["causes"]["death"]]
