"""What `tidings simulate --format` does for the formats of source connectors."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

from rich.progress import Progress

from commands._simulate import new_file
from producers.simulation.legacy import LEGACY
from producers.simulator import Settings, simulate
from tidings.errors import BadUsage


def write_legacy(settings: Settings, events: int, out: Path, form: str) -> int:
    """Write sound events in a legacy format, those of its event types that `settings` asks for. Returns how many.

    Raises BadUsage for an unknown format, and where it holds none of the event types or several that do not go into one
    file.
    """
    found = LEGACY.get(form)
    if found is None:
        raise _format(f"a format is avro, json, {', '.join(LEGACY)}")
    asked = found.event_types if settings.only is None else tuple(t for t in found.event_types if t in settings.only)
    chosen = asked if found.together else asked[:1]
    if not chosen or (settings.only is not None and set(chosen) != settings.only):
        raise _format(f"{form} holds {', '.join(found.event_types)}{'' if found.together else ', one in a file'}")
    sound = replace(settings, only=frozenset(chosen), bad_share=0, duplicate_share=0, faults={})
    with new_file(out) as file, Progress(transient=True) as progress:
        task = progress.add_task("simulating", total=events)
        held = (each for each in simulate(sys.maxsize, sound) if found.holds(each.event))
        pairs = ((each.event_type, each.event) for each in progress.track(islice(held, events), task_id=task))
        return found.write(file, pairs)


def _format(message: str) -> BadUsage:
    return BadUsage("--format", "format", message)
