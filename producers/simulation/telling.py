"""Makes rows of facts that are told rightly: the hot loop, in the native extension where it is built, else in Python.

Both make the same rows, by test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from producers.simulation.due import Due
from producers.simulation.mending import (
    ANNULLED_OF_4096,
    CORRECTED_OF_4096,
    MORE_BYTES,
    REASONS,
    WRONG_OF_4096,
    Chance,
    Mender,
)
from producers.simulation.native import extension
from producers.simulation.people import FIRST, IS_MALE, NHS_OF_COUNTY, RARE_SEX, STATE, STRIDE, People
from producers.simulation.pieces import UUID_BYTES, Tops, addresses, as_words, birth_dates, instants, names, uuids_of
from producers.simulation.portraits import PROTECTIONS, Body, Pieces, Portraits, Related, sexes_by_state
from producers.simulation.shapes import Shape
from producers.simulation.versions import Fact, Versions

WORD_BYTES, RANDOM_BYTES = 8, 24
"""A fact takes a word of 64 random bits and the 16 bytes of an id: first come all words, then all ids."""

Told: TypeAlias = tuple[int, int, bytes, Body, bytes, tuple[Related, ...]]
"""The parts of a `versions.Fact`, in their order."""


def record_id(county: int, number: int, serial: int) -> bytes:
    """Eleven digits as Avro: the county, the event type, and a number counting up."""
    return b"\x16%d%02d%08d" % (county + 1, number, serial)


class Teller(Protocol):
    """Makes events of facts."""

    def tell(self, shape: Shape, serial: int, facts: Sequence[Told], random: bytes) -> Sequence[int]:
        """Put the rows of a shape's facts into `Due`. Takes the serial of the last record before them, and
        `RANDOM_BYTES` for each. Returns the places of facts that are to be told wrongly, for which no row is made."""
        ...

    def tell_wrongly(
        self, shape: Shape, serial: int, facts: Sequence[Told], random: bytes, places: Sequence[int], more: bytes
    ) -> None:
        """Put the rows of the facts at `places` into `Due`, of what `tell` was given. Takes `MORE_BYTES` for each."""
        ...

    def later(self, shape: Shape, head: Pieces, body: Body | None) -> bytes:
        """The event of a later version, as Avro; without a body it is an annulment."""
        ...


def teller(
    people: People, portraits: Portraits, shapes: Sequence[Shape], delays: Sequence[int], start_ms: int, due: Due
) -> Teller:
    """Whichever is there. `delays` are those of corrections, by quantile."""
    native = extension()
    if native is None:
        return PythonTeller(people, portraits, delays, start_ms, due)
    return NativeTeller(native.Teller, people, portraits, shapes, delays, start_ms, due)


class NativeTeller:
    """The extension's."""

    def __init__(
        self, made_by: Any, people: People, portraits: Portraits, shapes: Sequence[Shape], delays: Sequence[int],
        start_ms: int, due: Due,
    ) -> None:  # fmt: skip
        self._places = {id(shape): at for at, shape in enumerate(shapes)}
        written = [
            (shape.number, bytes(part.kind for part in shape.parts), shape.mistakes,
             shape.first.parts[::2], shape.later.parts[::2], shape.annulment.parts[::2])
            for shape in shapes
        ]  # fmt: skip
        fates = CORRECTED_OF_4096, CORRECTED_OF_4096 + ANNULLED_OF_4096, WRONG_OF_4096
        nhs_numbers = people.county * NHS_OF_COUNTY, NHS_OF_COUNTY
        self._native = made_by(
            people.county, start_ms, (STRIDE, FIRST), fates, nhs_numbers, written, portraits.relation.parts[::2],
            _tables(), [*delays], REASONS,
        )  # fmt: skip
        self._of, self._new_ids, self._due = people.of, people.new_ids, due

    def tell(self, shape: Shape, serial: int, facts: Sequence[Told], random: bytes) -> Sequence[int]:
        """As `Teller.tell`."""
        wrong: list[int] = self._native.tell(
            self._places[id(shape)], serial, facts, random, self._of, self._new_ids, self._due
        )
        return wrong

    def tell_wrongly(
        self, shape: Shape, serial: int, facts: Sequence[Told], random: bytes, places: Sequence[int], more: bytes
    ) -> None:
        """As `Teller.tell_wrongly`."""
        given = self._of, self._new_ids, self._due
        self._native.tell_wrongly(self._places[id(shape)], serial, facts, random, places, more, *given)

    def later(self, shape: Shape, head: Pieces, body: Body | None) -> bytes:
        """As `Teller.later`."""
        event: bytes = self._native.later(self._places[id(shape)], head, body)
        return event


def _tables() -> Sequence[Sequence[bytes]]:
    """What pieces are chosen from, in the order in which the extension takes it."""
    written, (years, months), homes = names(), birth_dates(), addresses()
    sex = [sexes_by_state()[state & (IS_MALE | RARE_SEX)] for state in range((IS_MALE | RARE_SEX) + 1)]
    return [*written.given, written.family, sex, years, months, homes.street, homes.town, homes.outward, homes.inward]


class PythonTeller:
    """The same in Python."""

    def __init__(self, people: People, portraits: Portraits, delays: Sequence[int], start_ms: int, due: Due) -> None:
        self._people, self._portraits, self._start_ms, self._due = people, portraits, start_ms, due
        self._tops = Tops()
        self._mender = Mender(people, Versions(people, portraits, self.later, start_ms, due), delays)

    def tell(self, shape: Shape, serial: int, facts: Sequence[Told], random: bytes) -> Sequence[int]:
        """As `Teller.tell`."""
        people, tops, county, related_of = self._people, self._tops, self._people.county, self._portraits.related
        wrong, fill, number, body_of = [], shape.first.fill, shape.number, self._portraits.body
        words, ids = as_words(random[: len(facts) * WORD_BYTES]), uuids_of(random[len(facts) * WORD_BYTES :])
        for at, (person, recorded_ms, occurred, body, life, related) in enumerate(facts):
            word = words[at]
            if word & 0xFFF < WRONG_OF_4096 and person >= FIRST:
                wrong.append(at)
                continue
            received_ms = recorded_ms + 500 + (word >> 53)
            if received_ms < self._start_ms:
                continue
            subject, key = people.key(person)
            record = record_id(county, number, serial + at + 1)
            event = fill((
                ids[at * UUID_BYTES : (at + 1) * UUID_BYTES], record, life, instants(recorded_ms, received_ms, tops),
                occurred, record, subject, related_of(related), PROTECTIONS[people.of[person + STATE] & 12],
                *body_of(shape, body),
            ))  # fmt: skip
            self._due.put(received_ms << 3 | county, number, key, event)
        return wrong

    def tell_wrongly(
        self, shape: Shape, serial: int, facts: Sequence[Told], random: bytes, places: Sequence[int], more: bytes
    ) -> None:
        """As `Teller.tell_wrongly`."""
        for number, at in enumerate(places):
            record = record_id(self._people.county, shape.number, serial + at + 1)
            word = as_words(random[at * WORD_BYTES : (at + 1) * WORD_BYTES])[0]
            chance = Chance.of(word, more[number * MORE_BYTES : (number + 1) * MORE_BYTES])
            self._mender.tell(shape, Fact(*facts[at]), record, chance)

    def later(self, shape: Shape, head: Pieces, body: Body | None) -> bytes:
        """As `Teller.later`."""
        if body is None:
            return shape.annulment.fill(head)
        return shape.later.fill((*head, *self._portraits.body(shape, body)))
