"""The supervisor starts each slot once, passes signals on, and reports how each worker ended. No broker needed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from tests.tidings.kafka.kit import eventually
from tidings.kafka.supervisor import Supervisor, exit_code

DRAINS = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path(sys.argv[1]).touch()
signal.pause()
"""


def test_each_slot_starts_once_and_its_code_is_reported() -> None:
    """A worker that ends is not started again; its code is the whole's where the others are well."""
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


def test_a_killed_worker_counts_as_its_signal() -> None:
    """A worker that was killed gives 128 + the signal, as a shell does."""
    kill = "import os; os.kill(os.getpid(), 9)"
    supervisor = Supervisor(lambda _slot: [sys.executable, "-c", kill], 1)

    assert exit_code(supervisor.run()) == 137
