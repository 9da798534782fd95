"""Starts N workers in stable slots, passes signals on, starts again what may succeed then, and says how each ended.

A worker that ended with Retriable's code (a broker that was away, a client that did not return, a fenced one) or was
killed is started again in its slot, after a back-off: its successor goes on from the last commit, and whoever still
holds the slot is fenced first, so that nothing is done twice. One that was drained, or that ended with any other code
(Fatal: a person has to mend something), is not.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

from tidings.clock import Clock, SystemClock
from tidings.errors import Retriable

_log = structlog.get_logger(__name__)

POLL_S = 0.1
FIRST_BACKOFF_S, LAST_BACKOFF_S = 1.0, 60.0
STEADY_S = 600.0
"""After so long a run the back-off begins anew."""
_TOLD_TO_END = (0, -signal.SIGTERM, -signal.SIGINT)


@dataclass
class _Slot:
    """A slot's process, or its back-off: `due` is the reading of the monotonic clock at which it is started again."""

    process: subprocess.Popen[bytes]
    began: float
    backoff_s: float = FIRST_BACKOFF_S
    due: float | None = None
    code: int | None = None


@dataclass
class Supervisor:
    """`command(slot)` is what starts a slot's worker, counted from 0; where people read of one, `first_slot` is added.
    `tell` is given a line for whoever sits at the terminal."""

    command: Callable[[int], Sequence[str]]
    workers: int
    clock: Clock = field(default_factory=SystemClock)
    tell: Callable[[str], None] = lambda _line: None
    first_slot: int = 0
    _slots: dict[int, _Slot] = field(default_factory=dict)
    _stopping: bool = False

    def run(self) -> dict[int, int]:
        """Start the workers and wait for all of them. Returns the exit code with which each slot's last one ended
        (negative: killed by that signal).

        SIGTERM and SIGINT are passed on, so that the workers drain, and nothing is started again. A worker that ends
        leaves the others running.
        """
        before = {each: signal.signal(each, self._pass_on) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            for number in range(self.workers):
                self._slots[number] = _Slot(self._start(number), self.clock.monotonic())
            while not all(self._over(each) for each in self._slots.values()):
                for number, slot in self._slots.items():
                    self._tend(number, slot)
                self.clock.sleep(POLL_S)
            return {number: slot.code or 0 for number, slot in self._slots.items()}
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _start(self, slot: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(list(self.command(slot)), start_new_session=True)
        if self._stopping:  # the signal came while it was started, and did not reach it
            process.terminate()
        return process

    def _over(self, slot: _Slot) -> bool:
        return slot.code is not None and (slot.due is None or self._stopping)

    def _tend(self, number: int, slot: _Slot) -> None:
        now = self.clock.monotonic()
        if slot.code is None:
            slot.code = slot.process.poll()
            if slot.code is not None:
                self._ended(number, slot, slot.code, now)
        elif slot.due is not None and slot.due <= now and not self._stopping:
            slot.process, slot.began, slot.due, slot.code = self._start(number), now, None, None

    def _ended(self, number: int, slot: _Slot, code: int, now: float) -> None:
        again = not self._stopping and (code == Retriable.exit_code or (code < 0 and code not in _TOLD_TO_END))
        running = sum(each.code is None for each in self._slots.values())
        _log.info("worker ended", slot=self.first_slot + number, exit_code=code, running=running)
        if not again:
            return
        if now - slot.began >= STEADY_S:
            slot.backoff_s = FIRST_BACKOFF_S
        slot.due = now + slot.backoff_s
        self.tell(f"worker {self.first_slot + number} ended with {code}: started again in {slot.backoff_s:.0f} s")
        slot.backoff_s = min(2 * slot.backoff_s, LAST_BACKOFF_S)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for slot in self._slots.values():
            if slot.process.poll() is None:
                slot.process.send_signal(number)


def exit_code(codes: dict[int, int]) -> int:
    """One code for all: 0 where every worker drained, else the first that is not, a signal as 128 + its number."""
    bad = [code for _, code in sorted(codes.items()) if code]
    if not bad:
        return 0
    return bad[0] if bad[0] > 0 else 128 - bad[0]
