"""What `tidings simulate --out` does: files written, with progress shown."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from rich.progress import Progress

from producers.simulator import Settings, SimulatedEvent, simulate
from producers.simulator import write_container as write_events
from tidings.errors import BadInput, Fatal, Problem

STEP = 500


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def new_file(out: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of one that is there once it is whole. Raises BadInput where it cannot be
    opened, Fatal where it cannot be written to its end; nothing is left of it then, or where what is within raises."""
    try:
        whole_first = not out.is_symlink() and (out.is_file() or not out.exists())  # not for a pipe or a device
        written = out.parent / f".{out.name}.part" if whole_first else out
        file = written.open("wb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name holds a NUL"
        raise BadInput([Problem(out.name, 0, "--out", "unwritable", f"cannot be opened ({reason})")]) from None
    try:
        with file:
            yield file
        if whole_first:
            written.replace(out)
    except OSError as error:
        raise Fatal(f"{out.name} could not be written to its end ({error.strerror})") from None
    finally:
        if whole_first:
            written.unlink(missing_ok=True)


def write_container(settings: Settings, events: int, out: Path, processes: int) -> Counter[str]:
    """Write an Avro container. Returns how many there are of each outcome."""
    with new_file(out) as file, Progress(transient=True) as progress:
        task = progress.add_task("simulating", total=events)
        return write_events(file, events, settings, processes, lambda done: progress.update(task, completed=done))


def write_lines(settings: Settings, events: int, out: Path) -> Counter[str]:
    """Write a JSON object a line: the event, and what the exchange must make of it."""
    outcomes: Counter[str] = Counter()
    with new_file(out) as file, Progress(transient=True) as progress:
        task = progress.add_task("simulating", total=events)
        for number, each in enumerate(simulate(events, settings), 1):
            outcomes[each.expected] += 1
            file.write(orjson.dumps(_line(each), option=orjson.OPT_APPEND_NEWLINE))
            if number % STEP == 0:
                progress.update(task, completed=number)
    return outcomes


def _line(each: SimulatedEvent) -> dict[str, Any]:
    return {
        "event_type": each.event_type,
        "agency": each.agency,
        "expected": each.expected,
        "codes": each.codes,
        "flags": each.flags,
        "fault": each.fault,
        "event": each.event,
    }
