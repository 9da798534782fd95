"""An environment for what only measuring needs, the peers in Python and plots: below `build/`, from a lock."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.contender import BUILD, CHECKOUT

_LOCK = CHECKOUT / "requirements" / "bench.txt"
_HOME = BUILD / "environment"
PYTHON = str(_HOME / "bin" / "python")
_INSTALL_S = 600


def peer(name: str) -> Callable[[Path], list[str]]:
    """The command line of a contender that runs in it, of the path of its task."""
    return lambda task: [PYTHON, "-m", f"benchmarks.contenders.{name}", str(task)]


def environment() -> str | None:
    """Make it, unless it was made from the same lock. Returns why it cannot be made, or None."""
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    stamp = _HOME / ".made"
    if stamp.exists() and stamp.read_text("ascii") == digest:
        return None
    steps = [
        [sys.executable, "-m", "venv", "--clear", str(_HOME)],
        [PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(_LOCK)],
    ]
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, check=False, timeout=_INSTALL_S)
        except subprocess.TimeoutExpired:
            return f"the peers' environment was not made within {_INSTALL_S} s"
        if done.returncode:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            return f"{_LOCK.name}: {lines[-1]}"
    stamp.write_text(digest, "ascii")
    return None
