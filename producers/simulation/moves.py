"""Moves: to another home, to another practice, out of the country and into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from producers.simulation.crowd import Draws, Lot, recorded_ms_of
from producers.simulation.life import Draw, Life
from producers.simulation.people import GONE, HOME, IS_MALE, NOBODY, PARTNER, PRACTICE, STATE
from producers.simulation.rates import FEMALE, MALE
from producers.simulation.telling import Told
from producers.simulation.versions import NO_LIFE, NO_RELATED, Fact


def move(life: Life, draws: Sequence[Draw]) -> None:
    """People move, as `move_crowd` says."""
    words, life_event = life.words, life.scribe.life_event
    _move(life, [Lot(*draw, next(words), next(words), life_event()) for draw in draws])


def move_crowd(life: Life, draws: Draws) -> None:
    """People move, with the partner where there is one: so of two partners each has half the rate, and moves twice as
    often as that."""
    if life.crowd is None:
        _move(life, draws.crowd(life.people.of))
        return
    moved, registered = life.crowd.move(*draws.given(life.people.of, life.days))
    life.scribe.tell_all("address-changed", moved)
    life.scribe.tell_all("gp-registration-changed", registered)


def _move(life: Life, lots: Iterable[Lot]) -> None:
    people, days, scribe = life.people, life.days, life.scribe
    of, portrait = people.of, life.portraits.person
    delays, with_practice = scribe.delays["move"], life.rates.shares["practice_with_move"] * 0x1000
    facts: list[Told] = []
    registering: list[Lot] = []
    for lot in lots:
        person, bits, day, word, then, life_event = lot
        partner, joined = of[person + PARTNER], NO_LIFE
        movers: tuple[int, ...] = (person,)
        if partner != NOBODY:
            if bits & 1:
                continue
            movers, joined = (person, partner), life_event
        home, occurred = word & 0xFFFFFFFF, days[day]
        recorded_ms = recorded_ms_of(word, day, delays)
        for mover in movers:
            before, of[mover + HOME] = of[mover + HOME], home
            body = (home, occurred, before, occurred, portrait(mover))
            facts.append((mover, recorded_ms, occurred, body, joined, NO_RELATED))
            if bits >> 8 & 0xFFF < with_practice:
                registering.append(lot._replace(person=mover, word=then))
    scribe.tell_all("address-changed", facts)
    _change_practice(life, registering)


def change_practice(life: Life, draws: Draws) -> None:
    """People register with another general practice."""
    if life.crowd is None:
        _change_practice(life, draws.crowd(life.people.of))
    else:
        registered = life.crowd.change_practice(*draws.given(life.people.of, life.days))
        life.scribe.tell_all("gp-registration-changed", registered)


def _change_practice(life: Life, lots: Iterable[Lot]) -> None:
    days, of, portrait, delays = life.days, life.people.of, life.portraits.person, life.scribe.delays["other"]
    facts: list[Told] = []
    for person, _, day, word, _, _ in lots:
        before, of[person + PRACTICE] = of[person + PRACTICE], word & 0xFFFF
        body = (word & 0xFFFF, before, portrait(person))
        facts.append((person, recorded_ms_of(word, day, delays), days[day], body, NO_LIFE, NO_RELATED))
    life.scribe.tell_all("gp-registration-changed", facts)


def emigrate(life: Life, draws: Sequence[Draw]) -> None:
    """People leave the country, with the partner where there is one."""
    of, portraits = life.people.of, life.portraits
    facts = []
    for person, bits, day in draws:
        partner = of[person + PARTNER]
        if not life.is_here(person) or (partner != NOBODY and bits & 1):
            continue
        leaving = (person,) if partner == NOBODY else (person, partner)
        joined = NO_LIFE if partner == NOBODY else life.scribe.life_event()
        country, occurred = portraits.abroad[bits >> 8 & 7], life.days[day]
        for each in leaving:
            body = (country, of[each + HOME], occurred, portraits.person(each))
            facts.append(Fact(each, life.recorded_ms("move", day), occurred, body, joined))
            of[each + STATE] |= GONE
    life.scribe.tell_all("address-changed/abroad", facts)


def arrive(life: Life, draws: Sequence[Draw]) -> None:
    """For each person somebody as old, and of that sex, arrives in the country and registers with a practice."""
    people = life.people
    facts = []
    for person, _, day in draws:
        sex = MALE if people.of[person + STATE] & IS_MALE else FEMALE
        other = people.add(people.of[person], sex, next(life.words), next(life.words) & 0xFFFFFFFF)
        body = (people.of[other + PRACTICE], life.portraits.person(other))
        facts.append(Fact(other, life.recorded_ms("other", day), life.days[day], body))
    life.scribe.tell_all("gp-registration-changed/first", facts)
