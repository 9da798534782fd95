"""Processes beside a folder's stack (an exchange, what observes it): noted in the folder, so that another command can
find them, and ended with the stack."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from deploy.local.files import write_private
from deploy.local.processes import Process, stop
from tidings.clock import Clock
from tidings.errors import Fatal

_FILE = "beside.json"
DRAIN_SECONDS = 30.0


def beside(data: Path) -> tuple[Process, ...]:
    """What was last started beside the stack of `data`, running or not. Raises Fatal where the note is damaged."""
    path = data / _FILE
    try:
        return tuple(Process(**each) for each in json.loads(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError):
        raise Fatal(f"{path} is damaged; stop what runs by hand, then remove it") from None


def remember(data: Path, *processes: Process) -> None:
    """Note in `data` that `processes` are to be ended with the stack. Raises as `beside`."""
    _note(data, (*(each for each in beside(data) if each.name not in {new.name for new in processes}), *processes))


def end_beside(data: Path, names: Collection[str] | None = None, clock: Clock | None = None) -> tuple[Process, ...]:
    """Drain and forget what runs beside the stack of `data`: those of `names`, or all. Returns what was running.

    Raises as `beside`, or Fatal where one cannot be ended.
    """
    noted = beside(data)
    chosen = [each for each in noted if names is None or each.name in names]
    running = tuple(each for each in chosen if each.running())
    stop(running, DRAIN_SECONDS, clock)
    if chosen:
        _note(data, [each for each in noted if each not in chosen])
    return running


def _note(data: Path, processes: Collection[Process]) -> None:
    write_private(data / _FILE, json.dumps([asdict(each) for each in processes], indent=1) + "\n")
