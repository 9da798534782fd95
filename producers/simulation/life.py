"""What the happenings of a county work on: its people, the registers that tell of them, and what is still to come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from producers.simulation.people import GONE, NOBODY, PARTNER, STATE, Key, People, fictional_key
from producers.simulation.pieces import Days, days, months
from producers.simulation.portraits import Portraits
from producers.simulation.rates import DAY_MS, Rates
from producers.simulation.scribe import Scribe
from producers.simulation.versions import Fact

Draw: TypeAlias = tuple[int, int, int]
"""A person to whom something happens, 24 random bits, and the day since 1970."""


class Facts(defaultdict[str, list[Fact]]):
    """Facts by the name of their shape, told together."""

    def __init__(self) -> None:
        super().__init__(list)

    def tell(self, scribe: Scribe) -> None:
        """Tell them all."""
        for name, facts in self.items():
            scribe.tell_all(name, facts)


@dataclass(slots=True)
class Life:
    """One county, alive. `agenda` holds whose death is set, by the day since 1970; `crowd` is what the native extension
    does."""

    people: People
    portraits: Portraits
    scribe: Scribe
    rates: Rates
    words: Iterator[int]
    days: Days = field(default_factory=days)
    months: Days = field(default_factory=months)
    year: int = 0
    agenda: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    delivered_on: dict[int, int] = field(default_factory=dict)
    in_civil_partnership: set[int] = field(default_factory=set)
    ids_given: int = 0
    crowd: Any = None

    def recorded_ms(self, delay: str, day: int) -> int:
        """When a happening of a day is recorded: at some time of that day, or as much later as the delay says."""
        word = next(self.words)
        return day * DAY_MS + ((word >> 32) * DAY_MS >> 32) + self.scribe.delay(delay, word & 0xFFFFFFFF)

    def is_here(self, person: int) -> bool:
        """Whether the person is alive and has not left."""
        return not self.people.of[person + STATE] & GONE

    def part(self, person: int) -> int:
        """End the person's partnership, where there is one. Returns the other, or NOBODY."""
        of, other = self.people.of, self.people.of[person + PARTNER]
        if other != NOBODY:
            of[person + PARTNER] = of[other + PARTNER] = NOBODY
        return other

    def find(self, year: int, sex: int, *, alone: bool) -> int:
        """Somebody who is here, born in a year, of a sex; NOBODY where a few tries find none."""
        older, younger = self.people.cells.get((year, sex), ((), ()))
        amount = len(older) + len(younger)
        for _ in range(8 if amount else 0):
            at = (next(self.words) & 0xFFFFFFFF) * amount >> 32
            person = older[at] if at < len(older) else younger[at - len(older)]
            if self.is_here(person) and not (alone and self.people.of[person + PARTNER] != NOBODY):
                return person
        return NOBODY

    def new_id(self) -> Key:
        """An id of the fictional scheme that nobody has had."""
        self.ids_given += 1
        return fictional_key(self.people.county, 900_000_000 + self.ids_given)


Happening: TypeAlias = Callable[[Life, Sequence[Draw]], None]
"""What happens to some people. It goes through them one by one in a loop, because a loop over one thing is several
times as fast as many calls for one."""
