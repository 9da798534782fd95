"""A contender's process, watched from outside: its processor time, its memory, its end. Source: proc(5)."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.contender import CHECKOUT
from benchmarks.native import environment

_END_S = 30.0
_TAIL_CHARACTERS = 600
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class Watched:
    """A process in a group of its own, with all that it starts."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self.log = process, log

    def cpu_seconds(self) -> float:
        """User and system time of the group so far."""
        fields = self._stat()
        return sum(int(each[11]) + int(each[12]) for each in fields) / _TICKS

    def memory_mb(self) -> float:
        """The group's resident memory in megabytes."""
        return sum(int(each[21]) for each in self._stat()) * _PAGE_MB

    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.process.poll() is not None

    def tail(self) -> str:
        """The end of what it said."""
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        return text[-_TAIL_CHARACTERS:].strip()

    def _stat(self) -> list[list[str]]:
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self.process.pid:
                found.append(fields)
        return found


@contextmanager
def watched(command: Sequence[str], log: Path) -> Iterator[Watched]:
    """Start `command`; at the end ask its group to end, and end it after 30 s whatever it does."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield Watched(process, log)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(_END_S)
