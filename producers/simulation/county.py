"""One county: week by week, what happens to its people becomes the rows that its registers send."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

from producers.simulation.chances import Poisson
from producers.simulation.crowd import WEEK, Cells, Draws, native_crowd
from producers.simulation.due import Received
from producers.simulation.families import die
from producers.simulation.happenings import CARE, HAZARDS, Hazard
from producers.simulation.life import Life
from producers.simulation.people import COUNTIES, STRIDE, WATCHED, populate
from producers.simulation.pieces import LAST_MS, words
from producers.simulation.portraits import Portraits
from producers.simulation.rates import AGES, DAY_MS, rates
from producers.simulation.registers import REGISTERS, Keeper
from producers.simulation.scribe import Scribe
from producers.simulation.settings import Settings
from producers.simulation.spoil import Spoiler
from tidings.errors import BadInput, Problem

WARM_UP_WEEKS = 7
"""The county lives for so long before the first row, so that what takes weeks to be recorded is there at once."""
REWEIGH_WEEKS = 26
"""How often the chances follow the people's ages and numbers."""
LAST_DAY = LAST_MS // DAY_MS - 4 * 365
"""The last day that is lived: what it leaves to be recorded is recorded before instants take another byte."""
CARE_ONE_IN = 64
"""Of so many events about somebody in the country, one is about a person of an interest list."""
YEAR_DAYS = 365.2425


class Chance(NamedTuple):
    """One happening in a week: how many times it is drawn, and from which people by year of birth and sex."""

    hazard: Hazard
    how_many: Poisson
    cells: Cells


class County:
    """Rows of one county, week after week from that of the start."""

    def __init__(self, number: int, settings: Settings) -> None:
        self._settings, self._number = settings, number
        self._day = settings.start_ms // DAY_MS - WARM_UP_WEEKS * WEEK
        self._weeks = 0
        self._rates = rates()
        self._words = words(f"{settings.seed}/{number}")
        self._random = Random(f"{settings.seed}/{number}/draws")  # noqa: S311 (made-up people, not secrets)
        amount = settings.people // COUNTIES + (number < settings.people % COUNTIES)
        people = populate(number, amount, settings.seed, _year(self._day), self._rates)
        portraits = Portraits(people)
        self._scribe = Scribe(
            people, portraits, self._rates, settings.seed, self._words,
            start_ms=settings.start_ms, environment=settings.environment, only=settings.only,
        )  # fmt: skip
        crowd = native_crowd(self._rates)
        self._life = Life(people, portraits, self._scribe, self._rates, self._words, crowd=crowd)
        self._spoiler = Spoiler(number, settings)
        self._keepers = list(self._keeping()) if number == 0 else []
        for _ in range(WARM_UP_WEEKS):
            self._live()

    def next_week(self) -> Received:
        """What is received in the next week. Raises BadInput where the country's time is over."""
        first = self._day
        if first > LAST_DAY:
            message = "the country's time ends in 2035: let it begin earlier, or give it more people"
            raise BadInput([Problem("(settings)", 0, "events", "end-of-time", message)])
        self._live()
        sound = self._scribe.due.take(first, WEEK)
        return Received(sound, self._spoiler.spoil(sound))

    def _live(self) -> None:
        if self._weeks % REWEIGH_WEEKS == 0:
            self._chances = list(self._weigh())
        life, first = self._life, self._day
        for day in range(first, first + WEEK):
            if day in life.agenda:
                die(life, [(person, next(self._words) & 0xFFFFFF, day) for person in life.agenda.pop(day)])
        for hazard, how_many, cells in self._chances:
            amount = how_many.draw(self._words)
            if amount:
                hazard.happen(life, Draws(cells, first, self._random.randbytes(amount * hazard.draw_bytes)))
        # A register's entries are told from the first one on, so that each has the version that its place says.
        for keeper, a_week in self._keepers if self._weeks >= WARM_UP_WEEKS else ():
            keeper.enter(first, WEEK, a_week.draw(self._words))
        self._day += WEEK
        self._weeks += 1

    def _weigh(self) -> Iterator[Chance]:
        """Each happening with its chances. Those who are as old as a year of birth makes them are of that age or a year
        less, as likely."""
        only, times = self._settings.only, self._settings.times
        self._life.year = year = _year(self._day)
        # Who comes until the next weighing is not drawn before it.
        people = [
            (sex, min(AGES - 1, max(0, year - born)), cell[:])
            for (born, sex), cells in self._life.people.cells.items()
            for cell in cells
            if cell
        ]
        whole = 0.0
        for name, hazard in HAZARDS.items():
            if only is not None and not only & hazard.event_types:
                continue
            a_week = self._a_week(name, times.get(name, 1.0))
            weighted = [(len(cell) * a_week[sex][age], cell) for sex, age, cell in people if a_week[sex][age] > 0]
            if weighted:
                cells = Cells(weighted)
                whole += cells.whole
                yield Chance(hazard, Poisson(cells.whole), cells)
        if self._number == 0 and (only is None or only & CARE.event_types):
            whole *= times.get("care", 1.0) * COUNTIES / CARE_ONE_IN
            yield Chance(CARE, Poisson(whole), Cells([(1.0, [number * STRIDE for number in WATCHED])]))

    def _a_week(self, name: str, times: float) -> list[list[float]]:
        """How often a hazard comes in a week, by sex and age."""
        return [
            [(by_age[age] + by_age[max(0, age - 1)]) / 2 * times * WEEK / YEAR_DAYS for age in range(AGES)]
            for by_age in self._rates.hazards[name]
        ]

    def _keeping(self) -> Iterator[tuple[Keeper, Poisson]]:
        """The registers of things, which are the country's: county 0 keeps them."""
        for register in REGISTERS:
            name, only = register.event_type, self._settings.only
            if only is None or name in only:
                a_week = self._rates.registers[name] * self._settings.times.get(name, 1.0) * WEEK / YEAR_DAYS
                yield Keeper(register, self._scribe, self._words), Poisson(a_week)


def _year(day: int) -> int:
    return datetime.fromtimestamp(day * 86_400, UTC).year
