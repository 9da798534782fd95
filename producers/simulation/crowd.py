"""What happens to so many people that the native extension does it, where it is built: what is drawn for it, and the
facts that the extension makes. `moves` and `records` do the same in Python."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from producers.simulation.chances import Chances
from producers.simulation.native import extension
from producers.simulation.people import GONE, STATE
from producers.simulation.pieces import UUID_BYTES, as_words, uuids_of
from producers.simulation.rates import DAY_MS, Rates
from producers.simulation.splice import SOME, text

DRAW_BYTES, CROWD_DRAW_BYTES = 16, 48
"""A draw takes two words of 64 random bits; one of a crowd two more, and the 16 bytes of an id."""
RECORD_KINDS = [SOME + text(kind) for kind in ("demographics", "contact", "registration", "preferences")]
WEEK = 7
"""Days that are lived at once."""


class Cells(Chances[Sequence[int]]):
    """People by year of birth and sex, as they are now: a cell is drawn by its weight, and one of its people alike."""

    @cached_property
    def native(self) -> Any:
        """The same in the extension."""
        cells = [
            (cell.start, len(cell), cell.step, []) if isinstance(cell, range) else (0, 0, 0, [*cell])
            for cell in self.outcomes
        ]
        return extension().Cells(self.cumulative, cells)


class Lot(NamedTuple):
    """A person of a crowd to whom something happens: 24 random bits, the day since 1970, two words, and the id of a
    life event as a union's branch."""

    person: int
    bits: int
    day: int
    word: int
    then: int
    life: bytes


@dataclass(frozen=True)
class Draws:
    """What is drawn for a happening of a week: from which people, the week's first day, and random bytes, so many for
    each draw."""

    cells: Cells
    first_day: int
    random: bytes = field(repr=False)

    def each(self, of: array[int]) -> list[tuple[int, int, int]]:
        """Those who are here, each with 24 random bits and a day."""
        if extension() is not None:
            found: list[tuple[int, int, int]] = self.cells.native.each(of, self.first_day, self.random)
            return found
        return [(person, bits, day) for _, person, bits, day in self.people(of)]

    def people(self, of: array[int], size: int = DRAW_BYTES) -> Iterator[tuple[int, int, int, int]]:
        """Those who are here: the draw's number, the person, 24 random bits, the day since 1970."""
        words, step, first, draw = as_words(self.random), size // 8, self.first_day, self.cells.draw
        for number in range(len(words) // step):
            cell, word = draw(words[number * step]), words[number * step + 1]
            person = cell[(word & 0xFFFFFFFF) * len(cell) >> 32]
            if not of[person + STATE] & GONE:
                bits = word >> 32
                yield number, person, bits & 0xFFFFFF, first + (bits * WEEK >> 32)

    def crowd(self, of: array[int]) -> Iterator[Lot]:
        """Likewise, with all that a happening to a crowd takes."""
        words, size = as_words(self.random), CROWD_DRAW_BYTES
        ids = uuids_of(b"".join([self.random[at + 32 : at + size] for at in range(0, len(self.random), size)]))
        for number, person, bits, day in self.people(of, size):
            life = SOME + ids[number * UUID_BYTES : (number + 1) * UUID_BYTES]
            yield Lot(person, bits, day, words[number * 6 + 2], words[number * 6 + 3], life)

    def given(self, of: array[int], days: Mapping[int, bytes]) -> tuple[Any, ...]:
        """What the extension takes."""
        week = [days[day] for day in range(self.first_day, self.first_day + WEEK)]
        return of, self.cells.native, self.first_day, week, self.random


def native_crowd(rates: Rates) -> Any:
    """The extension's happenings; None where it is not built."""
    native = extension()
    if native is None:
        return None
    moved, other = rates.delays["move"].tolist(), rates.delays["other"].tolist()
    return native.Crowd(moved, other, rates.shares["practice_with_move"] * 0x1000, RECORD_KINDS)


def recorded_ms_of(word: int, day: int, delays: Sequence[int]) -> int:
    """When what happens on a day is recorded: as much later as the delay says, at some time of the day."""
    return day * DAY_MS + delays[word >> 54] + ((word >> 32 & 0xFFFFF) * DAY_MS >> 20)
