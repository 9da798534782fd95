"""What a register writes about a person of a county: the pieces that fill the slots of a shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from producers.simulation.people import FAMILY, GIVEN, HOME, IS_MALE, PROTECTION, RARE_SEX, STATE, People
from producers.simulation.pieces import addresses, birth_dates, names, sexes
from producers.simulation.splice import SOME, TAKEN, Slot, array, text
from producers.simulation.types import types
from tidings.wire import zigzag

Pieces: TypeAlias = tuple[bytes, ...]
PROTECTIONS = tuple(zigzag(level >> 2) for level in range(PROTECTION + 1))
"""NONE, LOCATION and FULL by a person's state."""


class Portraits:
    """Writes the people of one county. Each method returns the pieces of some slots, in their order.

    `person` gives given, family, sex, year, month, street, town, postcode: the person with the present home. `lines`
    gives street, town, postcode of a home.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        self.person, self.lines = _writers(people)
        self._family, self.districts, self.abroad = names().family, addresses().districts, addresses().abroad
        born = {"year": Slot("year"), "month": Slot("month"), "day": TAKEN}
        named = {"use": "OFFICIAL", "given": Slot("given"), "family": Slot("family")}
        related = {"role": Slot("role"), "subject": Slot("subject"), "names": [named], "date_of_birth": born}
        self._related = types().splice("Related", related)

    def name(self, person: int) -> Pieces:
        """Given and family."""
        return self.person(person)[:2]

    def family(self, number: int) -> bytes:
        """A family name by its number, not as a union's branch."""
        return self._family[number & 0x1FF][1:]

    def district(self, home: int) -> bytes:
        """The registration district of a home."""
        return self.districts[home >> 28]

    def related(self, *others: tuple[str, int, Pieces]) -> bytes:
        """Other people in their roles, each with the pieces of the person: the whole list."""
        return array([self._as_related(*other) for other in others])

    def _as_related(self, role: str, person: int, pieces: Pieces) -> bytes:
        given, family, _, year, month = pieces[:5]
        return self._related.fill((_ROLES[role], SOME + self._people.key(person)[0], given, family, year, month))


_ROLES = {role: text(role) for role in ("mother", "father", "partner")}


def _writers(people: People) -> tuple[Callable[[int], Pieces], Callable[[int], Pieces]]:
    """`Portraits.person` and `Portraits.lines`, as closures over their tables: half the time of methods."""
    of, (women, men), families, (years, months) = people.of, names().given, names().family, birth_dates()
    given: Sequence[Sequence[bytes]] = (women, (), men)
    female, male, not_specified, indeterminate = sexes()
    # By the two bits of a state that say it.
    sex = {0: female, IS_MALE: male, RARE_SEX: indeterminate, RARE_SEX | IS_MALE: not_specified}
    street, town, outward, inward = addresses().street, addresses().town, addresses().outward, addresses().inward

    def person(person: int) -> Pieces:
        born, state, home = of[person], of[person + STATE], of[person + HOME]
        place = home >> 28
        return (
            given[state & IS_MALE][of[person + GIVEN] & 0x3FF], families[of[person + FAMILY] & 0x1FF],
            sex[state & (IS_MALE | RARE_SEX)], years[(born >> 9) - 1850], months[born & 0x1FF],
            street[home & 0x7FF], town[place], outward[place] + inward[home >> 11 & 0x3FF],
        )  # fmt: skip

    def lines(home: int) -> Pieces:
        place = home >> 28
        return street[home & 0x7FF], town[place], outward[place] + inward[home >> 11 & 0x3FF]

    return person, lines


def practice(number: int) -> bytes:
    """The code of a general practice, as a union's branch."""
    return b"\x02\x0cY%05d" % (number & 0xFFFF)
