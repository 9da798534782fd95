"""What a contender is, and which there are: every module of `benchmarks.contenders` whose name has no underscore first.

Such a module has a `CONTENDER` and can be run: `python -m benchmarks.contenders.floor TASK`. The process reads the
inbox from its start, writes the views to the feeds, and ends on SIGTERM once its open transaction is through. Nothing
is asked of it while it runs: all is measured from outside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

CHECKOUT = Path(__file__).resolve().parents[1]
BUILD = CHECKOUT / "build" / "bench"


def ready() -> str | None:
    """Nothing has to be there."""
    return None


@dataclass(frozen=True, slots=True)
class Contender:
    """One line of the table.

    Args:
        name: as in `build/bench.json`.
        what: what it is, in a line.
        events: how many of a round it is given: enough for some seconds at its pace.
        remark: what else is to be said of it here, after `prepare`.
        prepare: makes what it needs (a build, an environment) and returns None, or why it cannot be measured here.
        command: its process, of the path of its task; `python -m` of its module where it is None.
        checked: whether its outputs are those of the exchange. Only the floor's are not.
        smoke: whether the quick form in CI has it.
        order: its place in tables.
    """

    name: str
    what: str
    events: int
    order: int
    remark: Callable[[], str] = str
    prepare: Callable[[], str | None] = ready
    command: Callable[[Path], Sequence[str]] | None = None
    checked: bool = True
    smoke: bool = False

    def argv(self, task: Path) -> list[str]:
        """The command line of its process."""
        if self.command is not None:
            return list(self.command(task))
        module = f"benchmarks.contenders.{self.name.replace('-', '_')}"
        return [sys.executable, "-m", module, str(task)]


def contenders() -> dict[str, Contender]:
    """All of them by name, in their order."""
    folder = CHECKOUT / "benchmarks" / "contenders"
    names = [each.name for each in iter_modules([str(folder)]) if not each.name.startswith("_")]
    found: list[Contender] = [import_module(f"benchmarks.contenders.{name}").CONTENDER for name in names]
    return {each.name: each for each in sorted(found, key=lambda each: each.order)}
