"""`build/bench.json`, written anew after every step, so that a run that breaks loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, noise


class Results:
    """The file's content. A part that is not run keeps what the file had of it; `parts` says when each was run.

    | key | what |
    | --- | --- |
    | `machine`, `parts` | which, and of each part when, how long, at what scale, load before, share of steal |
    | `contenders` | by name: `events_per_second` (median), `range`, `cpu_us_per_event`, …; or `missing`: why not |
    | `latency_ms` | by contender, rate and transport: `p50`, `p99`, `max` |
    | `growth` | by what grows: a list of points |
    """

    def __init__(self, path: Path, scale: float = 1.0) -> None:
        self.path = path
        self._scale = scale
        self.content: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        self.content["machine"] = machine()
        for name in ("parts", "contenders", "latency_ms", "growth"):
            self.content.setdefault(name, {})

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Within it a part is measured; the file is written at its end, whatever that is."""
        about: dict[str, Any] = {"scale": self._scale}
        self.content["parts"][name] = about
        try:
            with noise(about):
                yield
        finally:
            self.save()

    def points(self, name: str) -> list[dict[str, Any]]:
        """The points of what grows, none to begin with."""
        points: list[dict[str, Any]] = []
        self.content["growth"][name] = points
        return points

    def save(self) -> None:
        """Write the file, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.content, indent=1, sort_keys=True) + "\n")
        new.replace(self.path)
