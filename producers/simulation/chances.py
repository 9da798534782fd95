"""Draws one of many outcomes by weight, and how many things happen, from random bits."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

Outcome = TypeVar("Outcome")
_STEP = 40.0


class Chances(Generic[Outcome]):
    """Outcomes with weights, of which at least one is above 0. `cumulative` has the sum of the weights up to each
    outcome; `whole` is that of all."""

    def __init__(self, outcomes: Sequence[tuple[float, Outcome]]) -> None:
        self.cumulative = list(accumulate(weight for weight, _ in outcomes))
        self.outcomes = [outcome for _, outcome in outcomes]
        self.whole = self.cumulative[-1]
        self._last = len(outcomes) - 1

    def draw(self, word: int) -> Outcome:
        """The outcome of 64 random bits."""
        return self.outcomes[bisect_right(self.cumulative, (word >> 11) * _UNIT * self.whole, 0, self._last)]


_UNIT = 2.0**-53


class Poisson:
    """How many things happen when `mean` of them happen on average, by inversion; a large mean is drawn in steps."""

    def __init__(self, mean: float) -> None:
        self._steps, rest = divmod(mean, _STEP)
        self._rest = _cumulative(rest)

    def draw(self, words: Iterator[int]) -> int:
        """One number."""
        found = bisect_left(self._rest, next(words) / 2.0**64)
        for _ in range(int(self._steps)):
            found += bisect_left(_WHOLE_STEP, next(words) / 2.0**64)
        return found


def _cumulative(mean: float) -> list[float]:
    terms = [math.exp(-mean)]
    for number in range(1, int(mean + 12 * math.sqrt(mean) + 24)):
        terms.append(terms[-1] * mean / number)
    return list(accumulate(terms))


_WHOLE_STEP = _cumulative(_STEP)
