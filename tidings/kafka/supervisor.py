"""Starts N workers in stable slots, passes signals on, and says how each ended. It restarts none: that is the job of
whoever runs it (systemd, Kubernetes), and a fenced worker must not come back by itself."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

from tidings.clock import Clock, SystemClock

_log = structlog.get_logger(__name__)

POLL_S = 0.1


@dataclass
class Supervisor:
    """`command(slot)` is what starts a slot's worker."""

    command: Callable[[int], Sequence[str]]
    workers: int
    clock: Clock = field(default_factory=SystemClock)
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(self) -> dict[int, int]:
        """Start the workers and wait for all of them. Returns each slot's exit code (negative: killed by that signal).

        SIGTERM and SIGINT are passed on, so that the workers drain. A worker that ends leaves the others running.
        """
        before = {number: signal.signal(number, self._pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            for slot in range(self.workers):
                self.processes[slot] = subprocess.Popen(list(self.command(slot)), start_new_session=True)
            return self._wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _wait(self) -> dict[int, int]:
        codes: dict[int, int] = {}
        while len(codes) < len(self.processes):
            for slot, process in self.processes.items():
                code = process.poll()
                if code is not None and slot not in codes:
                    codes[slot] = code
                    _log.info("worker ended", slot=slot, exit_code=code, running=len(self.processes) - len(codes))
            self.clock.sleep(POLL_S)
        return codes

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(number)


def exit_code(codes: dict[int, int]) -> int:
    """One code for all: 0 where every worker drained, else the first that is not, a signal as 128 + its number."""
    bad = [code for _, code in sorted(codes.items()) if code]
    if not bad:
        return 0
    return bad[0] if bad[0] > 0 else 128 - bad[0]
