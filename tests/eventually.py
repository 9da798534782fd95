"""Waits for what becomes so in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(condition: Callable[[], bool], what: str, seconds: float = 120.0, every: float = 0.05) -> None:
    """Wait until `condition` holds, asked every so often. Raises AssertionError, naming `what`, after `seconds`: as
    many as a machine needs that does much else."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(every)
