"""The exchange that `tidings demo --keep` leaves running: noted in the demo's folder, and ended by `tidings down`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from deploy.local.files import write_private
from deploy.local.processes import Process, stop
from tidings.clock import Clock
from tidings.errors import Fatal

_STATE = "exchange.json"
DRAIN_SECONDS = 30.0


def remember_exchange(data: Path, process: Process) -> None:
    """Note in `data` that `process` is to be ended with the stack."""
    write_private(data / _STATE, json.dumps(asdict(process)) + "\n")


def stop_exchange(data: Path, clock: Clock | None = None) -> Sequence[Process]:
    """Drain the exchange of `data`, and wait until it has ended. Returns what was running. Raises Fatal where it is not
    known what that was."""
    path = data / _STATE
    try:
        left = Process(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError):
        raise Fatal(f"{path} is damaged; stop the exchange by hand, then remove it") from None
    running = [left] if left.running() else []
    stop(running, DRAIN_SECONDS, clock)
    path.unlink(missing_ok=True)
    return running
