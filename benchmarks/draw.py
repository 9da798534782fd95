"""Has the plots drawn in the environment that has matplotlib."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.contender import CHECKOUT
from benchmarks.contenders._environment import PYTHON, environment

_DRAW_S = 120


def draw(figures: Path, folder: Path) -> str | None:
    """Draw `figures` (`build/bench.json`) into `folder`. Returns why that cannot be done here, or None."""
    why = environment()
    if why is not None:
        return why
    command = [PYTHON, "-m", "benchmarks.plots", str(figures.resolve()), str(folder.resolve())]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=False, timeout=_DRAW_S)
    if done.returncode == 0:
        return None
    return (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
