"""What a register writes about a person of a county: the pieces that fill the slots of a shape.

A fact holds its body in parts: a piece is Avro already; a person is five numbers, a home and a practice are one.
Whoever tells the fact makes pieces of them.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from producers.simulation.people import BORN, FAMILY, GIVEN, HOME, IS_MALE, PROTECTION, RARE_SEX, STATE, People
from producers.simulation.pieces import addresses, birth_dates, names, sexes
from producers.simulation.shapes import BIRTH, CHILD, NAME, PERSON, PIECE, Shape
from producers.simulation.shapes import HOME as HOME_PART
from producers.simulation.splice import SOME, TAKEN, Slot, text
from producers.simulation.splice import array as avro_array
from producers.simulation.types import types
from tidings.wire import zigzag

Pieces: TypeAlias = tuple[bytes, ...]
Likeness: TypeAlias = bytes
"""A person as of a time: the numbers from `BORN` to `HOME`."""
Body: TypeAlias = tuple[bytes | int, ...]
"""The parts of a body, as its shape says: a piece or a likeness, or the number of a home or practice."""
Related: TypeAlias = tuple[bytes, int, Likeness]
"""Another person whom an event names: the role (see `ROLES`), who it is, and as of when."""
PROTECTIONS = tuple(zigzag(level >> 2) for level in range(PROTECTION + 1))
"""NONE, LOCATION and FULL by a person's state."""


class Portraits:
    """Writes the people of one county. `pieces` gives those of a likeness: given, family, sex, year, month, street,
    town, postcode. `lines` gives street, town, postcode of a home. `relation` is one item of an event's `related`."""

    def __init__(self, people: People) -> None:
        self._people = people
        self.pieces, self.lines = _writers()
        self._family, self.districts, self.abroad = names().family, addresses().districts, addresses().abroad
        born = {"year": Slot("year"), "month": Slot("month"), "day": TAKEN}
        named = {"use": "OFFICIAL", "given": Slot("given"), "family": Slot("family")}
        related = {"role": Slot("role"), "subject": Slot("subject"), "names": [named], "date_of_birth": born}
        self.relation = types().splice("Related", related)

    def person(self, person: int) -> Likeness:
        """The person with the present name and home."""
        return self._people.of[person : person + HOME + 1].tobytes()

    def family(self, number: int) -> bytes:
        """A family name by its number, not as a union's branch."""
        return self._family[number & 0x1FF][1:]

    def district(self, home: int) -> bytes:
        """The registration district of a home."""
        return self.districts[home >> 28]

    def related(self, others: Sequence[Related]) -> bytes:
        """The list of others whom an event names."""
        return avro_array([self._relation(*other) for other in others])

    def _relation(self, role: bytes, person: int, likeness: Likeness) -> bytes:
        given, family, _, year, month, *_ = self.pieces(likeness)
        return self.relation.fill((role, SOME + self._people.key(person)[0], given, family, year, month))

    def body(self, shape: Shape, body: Body) -> Pieces:
        """The pieces of a body's parts."""
        return (*self._body(shape, body),)

    def _body(self, shape: Shape, body: Body) -> Iterator[bytes]:
        for (kind, _), part in zip(shape.parts, body, strict=True):
            if isinstance(part, int):
                yield from self.lines(part) if kind == HOME_PART else (practice(part),)
            elif kind == PIECE:
                yield part
            else:
                yield from self.pieces(part)[_OF_PIECES[kind]]


ROLES = {role: text(role) for role in ("mother", "father", "partner")}


_OF_PIECES = {PERSON: slice(8), CHILD: slice(5), NAME: slice(2), BIRTH: slice(2, 5)}


def _writers() -> tuple[Callable[[Likeness], Pieces], Callable[[int], Pieces]]:
    """`Portraits.pieces` and `Portraits.lines`, as closures over their tables: half the time of methods."""
    (women, men), families, (years, months) = names().given, names().family, birth_dates()
    given: Sequence[Sequence[bytes]] = (women, (), men)
    sex = sexes_by_state()
    street, town, outward, inward = addresses().street, addresses().town, addresses().outward, addresses().inward

    def pieces(likeness: Likeness) -> Pieces:
        of = array("I", likeness)
        born, state, home = of[BORN], of[STATE], of[HOME]
        place = home >> 28
        return (
            given[state & IS_MALE][of[GIVEN] & 0x3FF], families[of[FAMILY] & 0x1FF],
            sex[state & (IS_MALE | RARE_SEX)], years[(born >> 9) - 1850], months[born & 0x1FF],
            street[home & 0x7FF], town[place], outward[place] + inward[home >> 11 & 0x3FF],
        )  # fmt: skip

    def lines(home: int) -> Pieces:
        place = home >> 28
        return street[home & 0x7FF], town[place], outward[place] + inward[home >> 11 & 0x3FF]

    return pieces, lines


def sexes_by_state() -> dict[int, bytes]:
    """How a sex is written, by the two bits of a state that say it."""
    female, male, not_specified, indeterminate = sexes()
    return {0: female, IS_MALE: male, RARE_SEX: indeterminate, RARE_SEX | IS_MALE: not_specified}


def moved(likeness: Likeness, home: int) -> Likeness:
    """The same person with another home."""
    return likeness[: HOME * 4] + home.to_bytes(4, sys.byteorder)


def renamed(likeness: Likeness, family: int) -> Likeness:
    """The same person with another family name."""
    return likeness[: FAMILY * 4] + family.to_bytes(4, sys.byteorder) + likeness[FAMILY * 4 + 4 :]


def practice(number: int) -> bytes:
    """The code of a general practice, as a union's branch."""
    return b"\x02\x0cY%05d" % (number & 0xFFFF)
