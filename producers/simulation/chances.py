"""Draws one of many outcomes by weight in constant time.

Source: A. J. Walker, "An efficient method for generating discrete random variables with general distributions", ACM
Transactions on Mathematical Software 3 (1977).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

Outcome = TypeVar("Outcome")
_UNIT = 1 << 32
_STEP = 40.0


class Chances(Generic[Outcome]):
    """Outcomes with weights, of which at least one is above 0; `whole` is their sum."""

    def __init__(self, outcomes: Sequence[tuple[float, Outcome]]) -> None:
        self.whole = math.fsum(weight for weight, _ in outcomes)
        self._amount = len(outcomes)
        self._own = [outcome for _, outcome in outcomes]
        self._other = list(self._own)
        self._below = [_UNIT] * self._amount
        scaled = [weight * self._amount / self.whole for weight, _ in outcomes]
        small = [at for at, weight in enumerate(scaled) if weight < 1]
        large = [at for at, weight in enumerate(scaled) if weight >= 1]
        while small and large:
            less, more = small.pop(), large[-1]
            self._below[less], self._other[less] = int(scaled[less] * _UNIT), self._own[more]
            scaled[more] -= 1 - scaled[less]
            if scaled[more] < 1:
                small.append(large.pop())

    def draw(self, word: int) -> Outcome:
        """The outcome of 64 random bits."""
        at = (word & 0xFFFFFFFF) * self._amount >> 32
        return self._own[at] if word >> 32 < self._below[at] else self._other[at]


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
