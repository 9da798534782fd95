"""Starts, knows again and stops the stack's processes. A process is its id *and* its start time: ids are reused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tidings.clock import Clock, Deadline, SystemClock
from tidings.errors import Fatal

_POLL_SECONDS = 0.05
_KILL_SECONDS = 5.0
_TAIL_LINES = 5


@dataclass(frozen=True, slots=True)
class Process:
    """One running part: name, id, when the system says it started, where it logs, and where it serves people."""

    name: str
    pid: int
    started: str
    log: str
    url: str = ""

    def running(self) -> bool:
        """Whether this very process, not a later one under the same id, is still there."""
        return _start_time(self.pid) == self.started


def spawn(name: str, command: Sequence[str], log: Path, *, cwd: Path, env: Mapping[str, str] | None = None) -> Process:
    """Start `command` in its own session, so that it outlives the caller, with its output in `log` (0600, appended).

    Raises Fatal where it cannot be started at all. Nothing secret may stand in `command`: everybody can read it.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
        )
    except OSError as error:
        raise Fatal(f"{name} cannot be started: {error.strerror}") from None
    finally:
        os.close(descriptor)
    _children[child.pid] = child
    return Process(name, child.pid, _start_time(child.pid) or "gone", str(log))


def stop(processes: Sequence[Process], budget_seconds: float = 30.0, clock: Clock | None = None) -> None:
    """Ask all of `processes` to end (SIGTERM), wait, and after the budget end what is left (SIGKILL). Returns when none
    runs. One that is already gone, or whose id belongs to another process by now, is left alone."""
    clock = clock or SystemClock()
    for process in processes:
        _signal(process, signal.SIGTERM)
    if not _all_gone(processes, Deadline(clock, budget_seconds), clock):
        for process in processes:
            _signal(process, signal.SIGKILL)
        if not _all_gone(processes, Deadline(clock, _KILL_SECONDS), clock):
            left = ", ".join(f"{each.name} ({each.pid})" for each in processes if each.running())
            raise Fatal(f"could not stop {left}")


def check_alive(process: Process) -> None:
    """Raise Fatal, with the end of its log, where `process` has ended."""
    if not process.running():
        raise Fatal(f"{process.name} ended while starting; the end of {process.log}:\n{_tail(Path(process.log))}")


# Children are waited for, or they would stay as zombies that look alive.
_children: dict[int, subprocess.Popen[bytes]] = {}


def _signal(process: Process, number: signal.Signals) -> None:
    if process.running():
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _all_gone(processes: Sequence[Process], deadline: Deadline, clock: Clock) -> bool:
    while any(process.running() for process in processes):
        if deadline.expired():
            return False
        clock.sleep(_POLL_SECONDS)
    return True


def _start_time(pid: int) -> str | None:
    """When process `pid` started, as the system says it; None where it is gone or only waits to be collected."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
        return None
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]  # field 22 of proc(5), counted after the name
    listing = shutil.which("ps") or "/bin/ps"
    shown = subprocess.run([listing, "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


def _tail(path: Path) -> str:
    with suppress(OSError):
        return "\n".join(path.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:])
    return "(no log)"
