"""Makes rows of facts that are told rightly: the hot loop, in the native extension where it is built, else in Python.

Both make the same rows, by test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from producers.simulation.native import extension
from producers.simulation.people import FIRST, IS_MALE, NHS_OF_COUNTY, RARE_SEX, STATE, STRIDE, People
from producers.simulation.pieces import UUID_BYTES, Tops, addresses, as_words, birth_dates, instants, names, uuids_of
from producers.simulation.portraits import PROTECTIONS, Body, Pieces, Portraits, sexes_by_state
from producers.simulation.rates import DAY_MS
from producers.simulation.rows import Row
from producers.simulation.shapes import Shape

CORRECTED_OF_4096, ANNULLED_OF_4096, WRONG_SUBJECT_OF_4096 = 164, 58, 20
"""Of 4096 records: told wrongly and corrected (4 %), told and annulled (1.4 %), told of the wrong person (0.5 %)."""
WRONG_OF_4096 = CORRECTED_OF_4096 + ANNULLED_OF_4096 + WRONG_SUBJECT_OF_4096
WORD_BYTES, RANDOM_BYTES = 8, 24
"""A fact takes a word of 64 random bits and the 16 bytes of an id: first come all words, then all ids."""

Told: TypeAlias = tuple[int, int, bytes, Body, bytes, bytes]
"""The parts of a `scribe.Fact`, in their order."""
Due: TypeAlias = defaultdict[int, list[Row]]
"""Rows that wait, by the day since 1970 on which they are received."""


def record_id(county: int, number: int, serial: int) -> bytes:
    """Eleven digits as Avro: the county, the event type, and a number counting up."""
    return b"\x16%d%02d%08d" % (county + 1, number, serial)


class Teller(Protocol):
    """Makes events of facts."""

    def tell(self, shape: Shape, serial: int, facts: Sequence[Told], random: bytes) -> Sequence[int]:
        """Put the rows of a shape's facts into `Due`. Takes the serial of the last record before them, and
        `RANDOM_BYTES` for each. Returns the places of facts that are to be told wrongly, for which no row is made."""
        ...

    def later(self, shape: Shape, head: Pieces, body: Body | None) -> bytes:
        """The event of a later version, as Avro; without a body it is an annulment."""
        ...


def teller(people: People, portraits: Portraits, shapes: Sequence[Shape], start_ms: int, due: Due) -> Teller:
    """Whichever is there."""
    native = extension()
    if native is None:
        return PythonTeller(people, portraits, start_ms, due)
    return NativeTeller(native.Teller, people, shapes, start_ms, due)


class NativeTeller:
    """The extension's."""

    def __init__(self, made_by: Any, people: People, shapes: Sequence[Shape], start_ms: int, due: Due) -> None:
        self._places = {id(shape): at for at, shape in enumerate(shapes)}
        written = [
            (shape.number, bytes(part.kind for part in shape.parts),
             shape.first.parts[::2], shape.later.parts[::2], shape.annulment.parts[::2])
            for shape in shapes
        ]  # fmt: skip
        nhs_numbers = people.county * NHS_OF_COUNTY, NHS_OF_COUNTY
        self._native = made_by(people.county, start_ms, STRIDE, FIRST, WRONG_OF_4096, nhs_numbers, written, _tables())
        self._of, self._new_ids, self._due = people.of, people.new_ids, due

    def tell(self, shape: Shape, serial: int, facts: Sequence[Told], random: bytes) -> Sequence[int]:
        """As `Teller.tell`."""
        wrong: list[int] = self._native.tell(
            self._places[id(shape)], serial, facts, random, self._of, self._new_ids, self._due
        )
        return wrong

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

    def __init__(self, people: People, portraits: Portraits, start_ms: int, due: Due) -> None:
        self._people, self._portraits, self._start_ms, self._due = people, portraits, start_ms, due
        self._tops = Tops()

    def tell(self, shape: Shape, serial: int, facts: Sequence[Told], random: bytes) -> Sequence[int]:
        """As `Teller.tell`."""
        people, tops, county = self._people, self._tops, self._people.county
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
                occurred, record, subject, related, PROTECTIONS[people.of[person + STATE] & 12], *body_of(shape, body),
            ))  # fmt: skip
            self._due[received_ms // DAY_MS].append((received_ms << 3 | county, number, key, event, None))
        return wrong

    def later(self, shape: Shape, head: Pieces, body: Body | None) -> bytes:
        """As `Teller.later`."""
        if body is None:
            return shape.annulment.fill(head)
        return shape.later.fill((*head, *self._portraits.body(shape, body)))
