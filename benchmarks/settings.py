"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.contender import Contender, contenders
from benchmarks.input import POOL

QUICK_EVENTS = 300


@dataclass(frozen=True, slots=True)
class Settings:
    """`scale` multiplies the events of every run; `only` are the contenders asked for (all, where empty). `quick` is
    the smoke test's form: it shows that all of it works and that outputs are equal, and its figures mean nothing."""

    rounds: int = 5
    scale: float = 1.0
    latency_s: float = 20.0
    only: tuple[str, ...] = ()
    quick: bool = False

    def contenders(self) -> dict[str, Contender]:
        """Those to be measured, by name."""
        return {
            name: each
            for name, each in contenders().items()
            if (name in self.only if self.only else each.smoke or not self.quick)
        }

    def events(self, wanted: int) -> int:
        """How many a run is given that is meant to have `wanted`."""
        return QUICK_EVENTS if self.quick else max(QUICK_EVENTS, int(wanted * self.scale))

    @property
    def pool(self) -> int:
        """How many different events there are."""
        return QUICK_EVENTS if self.quick else POOL
