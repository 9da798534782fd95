"""The rates are those of England and Wales: what follows from the tables is near what is published."""

from __future__ import annotations

from random import Random

import pytest

from producers.simulation.chances import Chances, Poisson
from producers.simulation.pieces import words
from producers.simulation.rates import AGES, DAY_MS, FEMALE, MALE, STEPS, rates

RATES = rates()


def life_expectancy(sex: int, age: int = 0) -> float:
    """Years that are left on average at an exact age."""
    alive, years = 1.0, 0.0
    for year in range(age, AGES):
        dying = RATES.hazards["deaths"][sex][year]
        years += alive * (1 - dying / 2)
        alive *= 1 - dying
    return years


def a_thousand(name: str) -> float:
    """How often something happens to 1,000 people in a year."""
    return 1000 * sum(
        RATES.people[sex][age] * RATES.hazards[name][sex][age] for sex in (FEMALE, MALE) for age in range(AGES)
    )


@pytest.mark.parametrize(
    ("sex", "age", "published"), [(FEMALE, 0, 83.0), (MALE, 0, 79.1), (FEMALE, 65, 21.2), (MALE, 65, 18.7)]
)
def test_life_expectancy(sex: int, age: int, published: float) -> None:
    """As in ONS, "National life tables", 2020 to 2024, within a few months."""
    assert life_expectancy(sex, age) == pytest.approx(published, abs=0.3)


def test_births() -> None:
    """The total fertility rate is 1.49, and 1,000 people have ten children a year (ONS, 2022)."""
    assert sum(RATES.hazards["births"][FEMALE]) == pytest.approx(1.49, abs=0.01)
    assert a_thousand("births") == pytest.approx(10.0, abs=0.5)
    assert sum(RATES.hazards["births"][MALE]) == 0


def test_deaths_moves_and_migration() -> None:
    """1,000 people have about nine or ten deaths, a hundred moves, and more arrivals than departures."""
    assert a_thousand("deaths") == pytest.approx(9.6, abs=0.6)
    assert a_thousand("moves") == pytest.approx(100, abs=12)
    assert a_thousand("immigration") > a_thousand("emigration") > 5


def test_partnerships() -> None:
    """18.3 of 1,000 unmarried women marry (2022), 8.9 of 1,000 couples divorce (2019)."""
    women = [(RATES.people[FEMALE][age], RATES.partnered[age], age) for age in range(16, AGES)]
    alone = sum(people * (1 - share) for people, share, _ in women)
    couples = sum(people * share for people, share, _ in women)
    marrying = sum(people * (1 - share) * RATES.hazards["partnerships"][FEMALE][age] for people, share, age in women)
    divorcing = sum(people * share * RATES.hazards["divorces"][FEMALE][age] for people, share, age in women)

    assert 1000 * marrying / alone == pytest.approx(18.3, abs=0.5)
    assert 1000 * divorcing / couples == pytest.approx(8.9, abs=0.5)


def test_delays() -> None:
    """Half of deaths are registered within 4 days, three in four within 7 (2019); births nearly all within 42."""
    deaths, births = RATES.delays["death_registered"], RATES.delays["birth_registered"]

    assert deaths[STEPS // 2] / DAY_MS == pytest.approx(4, abs=0.1)
    assert deaths[STEPS * 3 // 4] / DAY_MS == pytest.approx(7, abs=0.1)
    assert 0.9 < sum(delay <= 42 * DAY_MS for delay in births) / STEPS < 0.98
    assert all(list(each) == sorted(each) for each in RATES.delays.values())


def test_people_are_everybody() -> None:
    """Shares of the population add up to one, and there are more old women than old men."""
    assert sum(RATES.people[FEMALE]) + sum(RATES.people[MALE]) == pytest.approx(1)
    assert sum(RATES.people[FEMALE][85:]) > 1.3 * sum(RATES.people[MALE][85:])


def test_outcomes_come_by_their_weights() -> None:
    """An outcome with weight 0 never comes, the others as often as they weigh."""
    chances = Chances([(1.0, "a"), (0.0, "never"), (2.0, "b"), (7.0, "c")])
    source = words("chances")
    drawn = [chances.draw(next(source)) for _ in range(20_000)]

    assert "never" not in drawn
    assert drawn.count("a") == pytest.approx(2_000, abs=200)
    assert drawn.count("c") == pytest.approx(14_000, abs=300)


@pytest.mark.parametrize("mean", [0.0, 0.3, 7.5, 40.0, 333.3])
def test_counts_are_poisson(mean: float) -> None:
    """Mean and variance are those that were asked for, above the mean that is drawn in steps too."""
    source = words("poisson")
    drawn = [Poisson(mean).draw(source) for _ in range(1_500)]
    found = sum(drawn) / len(drawn)

    assert found == pytest.approx(mean, abs=0.02 + 0.15 * mean**0.5)
    assert sum((each - found) ** 2 for each in drawn) / len(drawn) == pytest.approx(mean, rel=0.2, abs=0.02)


def test_words_are_the_same_everywhere() -> None:
    """The stream of random numbers is fixed: another one would make another country of every seed."""
    source = words("fixed")
    block = Random("fixed").getrandbits(8192 * 8)  # noqa: S311 (made-up people, not secrets)

    assert [next(source) for _ in range(3)] == [block >> (64 * at) & (1 << 64) - 1 for at in range(3)]
