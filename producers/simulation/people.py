"""The people of one county: who they are, and what has become of them, seven numbers each in one array."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TypeAlias

from producers.simulation.rates import AGES, FEMALE, MALE, Rates
from producers.simulation.splice import COUNTS

COUNTIES = 8
"""The country is so many counties, whose people never meet: each can be simulated by a process of its own."""
NHS_NUMBERS = 1_000_000
"""How many numbers begin with 999 and have six digits to choose: all that are nobody's."""
NHS_OF_COUNTY = NHS_NUMBERS // COUNTIES
FICTIONAL_SCHEME = "simulated_person"
"""Where NHS numbers from 999 run out, and for the tenth of them that has no check digit."""

BORN, STATE, GIVEN, FAMILY, HOME, PRACTICE, PARTNER = range(7)
"""Where a person's numbers stand, from the person's own place on. `BORN` is `year << 9 | month << 5 | day`, of which
day
0 is one that nobody knows. Names, homes and practices are random bits, from which tables choose."""
STRIDE = 8
"""From one person's place to the next: all seven numbers in half a cache line, for a miss there costs most."""
GONE, IS_MALE, PROTECTION, RARE_SEX, HAS_NEW_ID = 1, 2, 4 | 8, 16, 32
"""Bits of a person's state; a protection is 0 (none), 4 (its location) or 8 (all)."""
NOBODY = 0xFFFF_FFFF
FIRST = 4 * STRIDE
"""The first four people are by themselves, neither die nor leave, and are told of rightly."""
WATCHED = (1, 2, 3)
"""The numbers of the people on the example country's interest list (agreements/interest), of county 0."""

Key: TypeAlias = tuple[bytes, bytes]
"""A subject as Avro, and the Kafka key that it makes."""

_RARE_SEX_SHARE = 0.006
_UNKNOWN_DAY_ONE_IN = 32


@dataclass(slots=True)
class People:
    """One county's people. A person is its place in `of`; `cells` finds people by year of birth and sex: those of the
    start, and those who came later. `key` gives a person's subject and Kafka key: the id that replaced another, or the
    first one. `protected` are those who are protected, or were."""

    county: int
    of: array[int]
    cells: dict[tuple[int, int], tuple[Sequence[int], array[int]]]
    new_ids: dict[int, Key] = field(default_factory=dict)
    protected: list[int] = field(default_factory=list)
    key: Callable[[int], Key] = field(init=False)

    def __post_init__(self) -> None:
        self.key = _key_writer(self.county, self.of, self.new_ids)

    def __len__(self) -> int:
        return len(self.of) // STRIDE

    def add(self, born: int, sex: int, word: int, home: int) -> int:
        """A new person, born or arrived; `word` is 64 random bits."""
        person = len(self.of)
        state = IS_MALE if sex == MALE else 0
        self.of.extend((born, state, word & 0xFFFF, word >> 16 & 0xFFFF, home, word >> 32 & 0xFFFF, NOBODY, 0))
        self.cells.setdefault((born >> 9, sex), ((), array("I")))[1].append(person)
        return person

    def replace_key(self, person: int, key: Key) -> None:
        """From now on the person goes by another id."""
        self.new_ids[person] = key
        self.of[person + STATE] |= HAS_NEW_ID


def _key_writer(county: int, of: array[int], new_ids: dict[int, Key]) -> Callable[[int], Key]:
    """`People.key`, as a closure: half the time of a method."""
    first = county * NHS_OF_COUNTY
    digits, high, low, checks = _DIGITS, _HIGH, _LOW, _CHECK

    def key(person: int) -> Key:
        number = person // STRIDE
        if of[person + STATE] & HAS_NEW_ID:
            return new_ids[person]
        if number < NHS_OF_COUNTY:
            number += first
            thousands, rest = number // 1000, number % 1000
            check = checks[high[thousands] + low[rest]]
            if check:
                value = b"999%b%b%b" % (digits[thousands], digits[rest], check)
                return b"\x14nhs_number\x14" + value, b"nhs_number:" + value
        return fictional_key(county, person // STRIDE)

    return key


def fictional_key(county: int, number: int) -> Key:
    """An id of the fictional scheme."""
    value = b"S%d%09d" % (county, number)
    return _FICTIONAL + COUNTS[len(value)] + value, _FICTIONAL_KEY + value


def packed(day: date) -> int:
    """A date of birth as `BORN` holds it."""
    return day.year << 9 | day.month << 5 | day.day


def _weighted(digits: str, first_weight: int) -> int:
    return sum((first_weight - at) * int(digit) for at, digit in enumerate(digits)) % 11


# Modulus 11 over nine digits with weights 10 to 2, of which the first three are nines; a number whose check digit would
# be 10 is not given out. Source: NHS Data Dictionary, "NHS NUMBER".
_DIGITS = [b"%03d" % number for number in range(1000)]
_HIGH = [_weighted(f"999{number:03d}", 10) for number in range(1000)]
_LOW = [_weighted(f"{number:03d}", 4) for number in range(1000)]
_CHECK = [b"" if rest % 11 == 1 else b"%d" % (-rest % 11) for rest in range(21)]
_FICTIONAL = COUNTS[len(FICTIONAL_SCHEME)] + FICTIONAL_SCHEME.encode()
_FICTIONAL_KEY = FICTIONAL_SCHEME.encode() + b":"


def populate(county: int, people: int, seed: int, first_year: int, rates: Rates) -> People:
    """A county's `people` at the start of `first_year`: ages, couples and protections as the rates say."""
    random = Random(f"{seed}/{county}/people")  # noqa: S311 (made-up people, not secrets)
    year_days = [packed(date(2001, 1, 1) + timedelta(each)) & 0x1FF for each in range(365)]
    born = array("I", [first_year - 60 << 9 | 5 << 5 | 4] * (FIRST // STRIDE))
    state = array("I", [0, 0, IS_MALE, 0])
    cells: dict[tuple[int, int], tuple[Sequence[int], array[int]]] = {}
    whole = 0.0
    for age in range(AGES - 1, -1, -1):
        year = first_year - 1 - age
        for sex in (FEMALE, MALE):
            made = len(born)
            whole += rates.people[sex][age] * max(0, people - FIRST // STRIDE)
            amount = round(whole) + FIRST // STRIDE - made
            born.extend([year << 9 | year_days[each * 365 // amount] for each in range(amount)])
            state.extend(array("I", [IS_MALE if sex == MALE else 0]) * amount)
            cells[year, sex] = range(made * STRIDE, (made + amount) * STRIDE, STRIDE), array("I")
    for each in range(FIRST, len(born), _UNKNOWN_DAY_ONE_IN):
        born[each] &= ~31
    found = People(county, _interleaved(born, state, random), cells)
    _pair(found, first_year, rates)
    _mark(found, random, rates)
    return found


def _interleaved(born: array[int], state: array[int], random: Random) -> array[int]:
    amount = len(born)
    of = array("I", bytes(4 * STRIDE * amount))
    of[BORN::STRIDE], of[STATE::STRIDE] = born, state
    of[PARTNER::STRIDE] = array("I", [NOBODY]) * amount
    for at in (GIVEN, FAMILY, HOME, PRACTICE):
        of[at::STRIDE] = array("I", random.randbytes(4 * amount))
    return of


def _pair(people: People, first_year: int, rates: Rates) -> None:
    """Couples: women spread over the year of birth, each with the next man free of the year that his age asks for."""
    free: dict[int, int] = {}
    of, older = people.of, rates.husband_older_by
    for turn, (wife, year) in enumerate(_wives(people, first_year, rates)):
        husbands_year = year - older[turn % len(older)]
        at = free.get(husbands_year, 0)
        men = people.cells[husbands_year, MALE][0] if (husbands_year, MALE) in people.cells else ()
        if at < len(men):
            free[husbands_year] = at + 1
            husband = men[at]
            of[wife + PARTNER], of[husband + PARTNER] = husband, wife
            of[wife + FAMILY], of[wife + HOME] = of[husband + FAMILY], of[husband + HOME]


def _wives(people: People, first_year: int, rates: Rates) -> Iterator[tuple[int, int]]:
    for age in range(16, AGES):
        year = first_year - 1 - age
        women = people.cells[year, FEMALE][0]
        amount = int(len(women) * rates.partnered[age])
        for each in range(amount):
            yield women[each * len(women) // amount], year


def _mark(people: People, random: Random, rates: Rates) -> None:
    """Who is protected at the start, and whose sex is not written as female or male."""
    location, full = rates.shares["protected_location"], rates.shares["protected_full"]
    for share, mark in ((location, 4), (full, 8), (_RARE_SEX_SHARE, RARE_SEX)):
        for _ in range(round(share * len(people))):
            at = int(random.random() * len(people)) * STRIDE + STATE
            people.of[at] = people.of[at] & ~(PROTECTION if mark & PROTECTION else 0) | mark
            if mark & PROTECTION:
                people.protected.append(at - STATE)
