"""What changes in the records of people: names, identities, protection, and what is told only thinly."""

from __future__ import annotations

from collections.abc import Sequence

from producers.simulation.crowd import RECORD_KINDS, Draws, recorded_ms_of
from producers.simulation.life import Draw, Life
from producers.simulation.mending import CANCELLED
from producers.simulation.moves import move
from producers.simulation.people import FAMILY, FIRST, PRACTICE, PROTECTION, STATE
from producers.simulation.portraits import PROTECTIONS
from producers.simulation.rates import DAY_MS
from producers.simulation.shapes import ANNULLED, CHANGED
from producers.simulation.splice import SOME, array, text
from producers.simulation.telling import Told
from producers.simulation.types import choice
from producers.simulation.versions import NO_LIFE, NO_RELATED, Fact

_MEANS = {means: SOME + text(means) for means in ("marriage", "divorce", "deed_poll")}


def rename(life: Life, person: int, family: int, means: str, day: int) -> Fact:
    """Somebody has another family name from now on: the `name-changed` that tells of it."""
    portraits = life.portraits
    old = portraits.person(person)
    life.people.of[person + FAMILY] = family & 0xFFFF
    renamed = portraits.person(person)
    body = (renamed, old, _MEANS[means], renamed)
    return Fact(person, life.recorded_ms("name", day), life.days[day], body)


def change_name(life: Life, draws: Sequence[Draw]) -> None:
    """People change the name by deed."""
    facts = [rename(life, person, bits >> 4, "deed_poll", day) for person, bits, day in draws]
    life.scribe.tell_all("name-changed", facts)


def change_record(life: Life, draws: Draws) -> None:
    """Records at the NHS change, and it is told which, not what."""
    of = life.people.of
    facts: Sequence[Told]
    if life.crowd is None:
        delays, days = life.scribe.delays["other"], life.days
        facts = [
            (
                person, recorded_ms_of(word, day, delays), days[day], (RECORD_KINDS[bits & 3], of[person + PRACTICE]),
                NO_LIFE, NO_RELATED,
            )
            for person, bits, day, word, _, _ in draws.crowd(of)
        ]  # fmt: skip
    else:
        facts = life.crowd.change_record(*draws.given(of, life.days))
    life.scribe.tell_all("record-changed", facts)


def change_identity(life: Life, draws: Sequence[Draw]) -> None:
    """An id is superseded by another, two records of one person are merged, or one of two people is split."""
    people = life.people
    for person, bits, day in draws:
        own, other = people.key(person)[0], life.new_id()
        what = "SPLIT" if person < FIRST or bits & 3 == 0 else "MERGED" if bits & 1 else "SUPERSEDED"
        current, former = {
            "SUPERSEDED": ([other[0]], [own]),
            "MERGED": ([own], [other[0], own]),
            "SPLIT": ([own, other[0]], [own]),
        }[what]
        body = (choice("IdentityChangeKind", what), array(current), array(former))
        life.scribe.tell("identity-changed", Fact(person, life.recorded_ms("other", day), life.days[day], body))
        if what == "SUPERSEDED":
            people.replace_key(person, other)


def change_protection(life: Life, draws: Sequence[Draw]) -> None:
    """Protections begin, end, or become another one: as many end as begin."""
    of, protected = life.people.of, life.people.protected
    facts = []
    for drawn, bits, day in draws:
        person = protected[(bits >> 4) % len(protected)] if bits & 1 and protected else drawn
        before = of[person + STATE] & PROTECTION
        if not life.is_here(person) or (person != drawn and before == 0):
            continue
        if before == 0:
            after = 8 if bits & 14 == 0 else 4
            protected.append(person)
        else:
            after = 0 if bits & 14 else 12 - before
        of[person + STATE] = of[person + STATE] & ~PROTECTION | after
        body = (SOME + PROTECTIONS[after], SOME + PROTECTIONS[before], life.days[day])
        facts.append(Fact(person, life.recorded_ms("other", day), life.days[day], body))
    life.scribe.tell_all("protection-changed", facts)


def be_cared_for(life: Life, draws: Sequence[Draw]) -> None:
    """People on an interest list move, are taken for somebody else, or are told dead by mistake, which is removed."""
    for person, bits, day in draws:
        if bits & 1:
            move(life, [(person, bits >> 1, day)])
        elif bits & 2:
            change_identity(life, [(person, bits >> 2, day)])
        else:
            _told_dead(life, person, bits >> 2, day)


def _told_dead(life: Life, person: int, bits: int, day: int) -> None:
    scribe, shape = life.scribe, life.scribe.shapes["death-notified"]
    told_ms = life.recorded_ms("death_informal", day)
    since, portrait = life.days[told_ms // DAY_MS], life.portraits.person(person)
    informal = (choice("DeathStatus", "INFORMAL"), since, portrait)
    told = scribe.begin("death-notified", Fact(person, told_ms, life.days[day], informal))
    if bits & 1:
        told_ms += scribe.delay("other", bits << 8)
        told = scribe.go_on(shape, told, told_ms, (choice("DeathStatus", "FORMAL"), since, portrait), CHANGED)
    removed_ms = told_ms + scribe.delay("correction", next(life.words) & 0xFFFFFFFF)
    scribe.go_on(shape, told, removed_ms, None, ANNULLED, CANCELLED)
