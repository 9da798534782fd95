"""Marriages, civil partnerships and how they end: two events each, joined, and perhaps a change of name."""

from __future__ import annotations

from collections.abc import Sequence

from producers.simulation.life import Draw, Facts, Life
from producers.simulation.people import FAMILY, HOME, NOBODY, PARTNER
from producers.simulation.portraits import ROLES, renamed
from producers.simulation.rates import FEMALE, MALE
from producers.simulation.records import rename
from producers.simulation.types import choice
from producers.simulation.versions import Fact

ADULT_YEARS = 18


def marry(life: Life, draws: Sequence[Draw]) -> None:
    """Women without a partner find one, of the age that the rates say."""
    of, shares, older, facts = life.people.of, life.rates.shares, life.rates.husband_older_by, Facts()
    for woman, bits, day in draws:
        born = of[woman] >> 9
        if of[woman + PARTNER] != NOBODY or life.year - born <= ADULT_YEARS:
            continue
        same_sex = bits & 0xFFF < shares["same_sex"] * 0x1000
        year = min(born - older[(bits >> 12) % len(older)], life.year - ADULT_YEARS - 1)
        one = life.find(year, MALE, alone=True) if same_sex and bits & 1 else woman
        other = life.find(year, FEMALE if same_sex and one == woman else MALE, alone=True)
        if NOBODY in (one, other) or one == other:
            continue
        of[one + PARTNER], of[other + PARTNER] = other, one
        word = next(life.words)
        if word & 0xFFF < shares["civil"] * 0x1000:
            life.in_civil_partnership.update((one, other))
        takes_name = not same_sex and word >> 12 & 0xFFF < shares["name_at_marriage"] * 0x1000
        _tell_of_beginning(life, one, other, day, word >> 32, facts, takes_name=takes_name)
        if takes_name:
            facts["name-changed"].append(rename(life, one, of[other + FAMILY], "marriage", day))
    facts.tell(life.scribe)


def _tell_of_beginning(
    life: Life, one: int, other: int, day: int, place: int, facts: Facts, *, takes_name: bool
) -> None:
    portraits, joined, recorded_ms = life.portraits, life.scribe.life_event(), life.recorded_ms("partnership", day)
    of_one, of_other, form = portraits.person(one), portraits.person(other), _form(life, one)
    district = portraits.district(life.people.of[other + HOME])
    for each, mine, with_whom, theirs in ((one, of_one, other, of_other), (other, of_other, one, of_one)):
        name_after = (renamed(of_one, life.people.of[other + FAMILY]),) if takes_name and each == one else ()
        body = (mine, theirs, form, place, *name_after, district)
        related = ((ROLES["partner"], with_whom, theirs),)
        shape = "partnership-registered/name" if name_after else "partnership-registered"
        facts[shape].append(Fact(each, recorded_ms, life.days[day], body, joined, related))


def divorce(life: Life, draws: Sequence[Draw]) -> None:
    """Partnerships are ended by a court; of some, it finds that they never were one."""
    facts = Facts()
    for woman, bits, day in draws:
        other = life.part(woman)
        if other == NOBODY:
            continue
        joined, recorded_ms = life.scribe.life_event(), life.recorded_ms("divorce", day)
        ending = "VOIDED" if bits & 0xFF == 0 else "DISSOLUTION" if woman in life.in_civil_partnership else "DIVORCE"
        facts["partnership-ended"] += (
            end_of(life, woman, other, recorded_ms, day, ending, joined),
            end_of(life, other, woman, recorded_ms, day, ending, joined),
        )
        life.in_civil_partnership -= {woman, other}
        if bits >> 8 & 0xFFF < life.rates.shares["name_at_divorce"] * 0x1000:
            facts["name-changed"].append(rename(life, woman, next(life.words), "divorce", day))
    facts.tell(life.scribe)


def end_of(life: Life, person: int, other: int, recorded_ms: int, day: int, ending: str, joined: bytes) -> Fact:
    """One partner's `partnership-ended`."""
    portraits = life.portraits
    others = portraits.person(other)
    body = (portraits.person(person), others, _form(life, person), choice("PartnershipEnding", ending))
    return Fact(person, recorded_ms, life.days[day], body, joined, ((ROLES["partner"], other, others),))


def _form(life: Life, person: int) -> bytes:
    return choice("PartnershipKind", "CIVIL_PARTNERSHIP" if person in life.in_civil_partnership else "MARRIAGE")
