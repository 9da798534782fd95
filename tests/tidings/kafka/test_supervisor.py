"""The supervisor starts each slot, passes signals on, starts again what may succeed then, and reports how each worker
ended. No broker needed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.eventually import eventually
from tidings.clock import StillClock
from tidings.kafka.errors import Fenced
from tidings.kafka.supervisor import STEADY_S, Supervisor, exit_code

DRAINS = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path(sys.argv[1]).touch()
signal.pause()
"""


def test_each_slot_starts_once_and_its_code_is_reported() -> None:
    """A worker that ends for good leaves the others running; its code is the whole's where they are well."""
    supervisor = Supervisor(lambda slot: [sys.executable, "-c", f"import sys; sys.exit({slot})"], 3)

    assert supervisor.run() == {0: 0, 1: 1, 2: 2}
    assert exit_code({0: 0, 1: 1, 2: 2}) == 1


def test_sigterm_is_passed_on(tmp_path: Path) -> None:
    """SIGTERM to the supervisor drains every worker, and it ends with 0 when all have."""
    marks = [tmp_path / f"{slot}" for slot in range(2)]
    supervisor = Supervisor(lambda slot: [sys.executable, "-c", DRAINS, str(marks[slot])], 2)

    def stop() -> None:
        eventually(lambda: all(mark.exists() for mark in marks), "both workers")
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop)
    stopper.start()
    codes = supervisor.run()
    stopper.join()

    assert codes == {0: 0, 1: 0}
    assert exit_code(codes) == 0


@dataclass
class Ends(StillClock):
    """Runs a supervisor whose worker ends with the next of `codes` at each start; time moves once it has ended."""

    codes: list[int] = field(default_factory=list)
    lasts_s: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    stop_at: int = -1

    def run(self) -> dict[int, int]:
        """To its end, in slot 3."""
        self.supervisor = Supervisor(self._command, 1, self, self._tell, first_slot=3)
        return self.supervisor.run()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`: but the worker that runs comes to its end."""
        for slot in self.supervisor._slots.values():
            slot.process.wait(30)
        super().sleep(seconds)

    def _command(self, _slot: int) -> list[str]:
        self.advance(self.lasts_s.pop(0) if self.lasts_s else 0.0)
        code = self.codes.pop(0)
        return ["/bin/sh", "-c", f"exit {code}" if code >= 0 else f"kill {code} $$"]

    def _tell(self, line: str) -> None:
        self.told.append(line)
        if len(self.told) == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)


def test_what_may_succeed_later_is_started_again() -> None:
    """A worker that ended without a broker, was fenced or killed comes back in its slot, each time a little later."""
    ends = Ends(codes=[75, Fenced.exit_code, -9, 75, 75, 75, 75, 75, 0])
    began_ms = ends.now_ms()

    assert ends.run() == {0: 0}
    assert ends.told == [
        f"worker 3 ended with {code}: started again in {wait_s} s"
        for code, wait_s in zip([75, 75, -9, 75, 75, 75, 75, 75], [1, 2, 4, 8, 16, 32, 60, 60], strict=True)
    ]
    assert (ends.now_ms() - began_ms) / 1000 >= 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60


def test_after_a_long_run_the_waiting_begins_anew() -> None:
    """Two failures a day apart are no series."""
    ends = Ends(codes=[75, 75, 75, 0], lasts_s=[0, 0, STEADY_S])

    ends.run()

    assert [line.rpartition(" in ")[2] for line in ends.told] == ["1 s", "2 s", "1 s"]


@pytest.mark.parametrize("code", [1, 65, -signal.SIGTERM])
def test_what_somebody_has_to_see_to_is_not(code: int) -> None:
    """Fatal, a file that is wrong, a worker that somebody told to end."""
    ends = Ends(codes=[code])

    assert ends.run() == {0: code}
    assert ends.told == []


def test_nothing_is_started_again_once_it_is_told_to_end() -> None:
    """A slot that waits for its next start is given up, and its last code counts."""
    ends = Ends(codes=[75, 75], stop_at=2)

    assert ends.run() == {0: 75}


def test_a_killed_worker_counts_as_its_signal() -> None:
    """128 + the signal, as a shell does."""
    assert exit_code({0: 0, 1: -9}) == 137
