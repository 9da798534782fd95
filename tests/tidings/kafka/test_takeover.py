"""A worker killed at any numbered step, a fenced one, a drained one: nothing lost, nothing twice, order kept."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.tidings.kafka.kit import Log, Worker, eventually, numbers
from tests.tidings.kafka.process import spawn
from tidings.errors import Fatal

pytestmark = pytest.mark.broker

STEPS = ["idle", "polled", "decided", "begun", "produced", "blocks", "offsets", "committed", "done"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step(log: Log, step: str) -> None:
    """kill -9 at this step of the third batch, then a successor in another slot: every record once, in order."""
    log.set_up()
    log.publish(numbers(300))
    victim = spawn(log, 0, step=step, times=3)
    assert victim.wait(60) == -signal.SIGKILL

    with Worker(log, 1):
        eventually(lambda: log.copied_count() >= 300, "the successor's copies")

    assert log.copied() == log.expected()


def test_the_same_slot_comes_back(log: Log) -> None:
    """A killed worker's slot is taken over by a new process in it, which ends the open transaction at once."""
    log.set_up()
    log.publish(numbers(300))
    victim = spawn(log, 0, step="produced", times=3)
    assert victim.wait(60) == -signal.SIGKILL

    with Worker(log, 0) as successor:
        eventually(lambda: log.copied_count() >= 300 or successor.failure is not None, "the successor's copies")

    assert successor.failure is None
    assert log.copied() == log.expected()


def test_a_fenced_zombie_stops(log: Log, tmp_path: Path) -> None:
    """A worker that stood still while another took its slot ends as Fatal and adds nothing."""
    log.set_up()
    log.publish(numbers(300))
    gate = tmp_path / "gate"
    zombie = spawn(log, 0, step="produced", times=3, pause_file=str(gate))
    eventually(Path(f"{gate}.reached").exists, "the zombie inside a transaction")

    with Worker(log, 0) as successor:
        eventually(lambda: successor.loop_started, "the successor's start")
        gate.touch()
        assert zombie.wait(60) == Fatal.exit_code
        eventually(lambda: log.copied_count() >= 300 or successor.failure is not None, "the successor's copies")

    assert successor.failure is None
    assert log.copied() == log.expected()


def test_sigterm_drains(log: Log, tmp_path: Path) -> None:
    """SIGTERM inside a transaction: it is finished, the worker ends with 0, and the successor has nothing to repeat."""
    log.set_up()
    log.publish(numbers(300))
    gate = tmp_path / "gate"
    worker = spawn(log, 0, step="produced", times=3, pause_file=str(gate))
    eventually(Path(f"{gate}.reached").exists, "a worker inside a transaction")

    worker.send_signal(signal.SIGTERM)
    gate.touch()

    assert worker.wait(30) == 0
    assert log.copied_count() == 150
    with Worker(log, 1):
        eventually(lambda: log.copied_count() >= 300, "the rest")
    assert log.copied() == log.expected()
