"""A contender's process, watched from outside: its processor time, its memory, its end. Source: proc(5)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from benchmarks.contender import CHECKOUT
from benchmarks.native import environment

_END_S = 30.0
_TAIL_CHARACTERS = 600
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class Watched:
    """A contender's process: all of them are one."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self.log = process, log

    def cpu_seconds(self) -> float:
        """User and system time so far; 0 once it has ended."""
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0

    def memory_mb(self) -> float:
        """Its resident memory in megabytes; 0 once it has ended."""
        fields = self._stat()
        return int(fields[21]) * _PAGE_MB if fields else 0.0

    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.process.poll() is not None

    def tail(self) -> str:
        """The end of what it said."""
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        return text[-_TAIL_CHARACTERS:].strip()

    def _stat(self) -> list[str]:
        try:
            text = Path(f"/proc/{self.process.pid}/stat").read_text("utf-8", "replace")
        except OSError:
            return []
        return text.rpartition(")")[2].split()


def end_on_sigterm() -> None:
    """Have SIGTERM end this process as an exception does: brokers and contenders are ended with it."""
    signal.signal(signal.SIGTERM, _stop)


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(143)


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
