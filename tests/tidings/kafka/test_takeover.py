"""A worker killed at any numbered step, a fenced one, a drained one: nothing lost, nothing twice, order kept.

A killed worker's partitions are its successor's once its session ends, 8 s later: the kills are made side by side.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.tidings.kafka.kit import Log, Worker, numbers
from tests.tidings.kafka.process import spawn
from tidings.errors import Retriable

pytestmark = pytest.mark.broker

STEPS = ["idle", "polled", "decided", "begun", "produced", "blocks", "offsets", "committed", "done"]
SAME_SLOT = "the same slot"


def killed_and_succeeded(log: Log, step: str, successor_slot: int) -> tuple[Log, BaseException | None]:
    """A worker that `kill -9` ends at this step of the third batch; then a successor, until everything is copied."""
    log.set_up()
    log.publish(numbers(300))
    victim = spawn(log, 0, step=step, times=3)
    assert victim.wait(60) == -signal.SIGKILL
    with Worker(log, successor_slot) as successor:
        eventually(lambda: log.finished() >= 300 or successor.failure is not None, "the successor's copies")
    return log, successor.failure


@pytest.fixture(scope="module")
def kills(make_log: Callable[[], Log]) -> Iterator[dict[str, Future[tuple[Log, BaseException | None]]]]:
    """What became of each kill, begun all at once."""
    with ThreadPoolExecutor(len(STEPS) + 1) as pool:
        made = {step: pool.submit(killed_and_succeeded, make_log(), step, 1) for step in STEPS}
        made[SAME_SLOT] = pool.submit(killed_and_succeeded, make_log(), "produced", 0)
        yield made


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step(kills: dict[str, Future[tuple[Log, BaseException | None]]], step: str) -> None:
    """kill -9 at this step of the third batch, then a successor in another slot: every record once, in order."""
    log, failure = kills[step].result()

    assert failure is None
    assert log.copied() == log.expected()
    assert log.copied_count() == 300


def test_the_same_slot_comes_back(kills: dict[str, Future[tuple[Log, BaseException | None]]]) -> None:
    """A killed worker's slot is taken over by a new process in it, which ends the open transaction at once."""
    log, failure = kills[SAME_SLOT].result()

    assert failure is None
    assert log.copied() == log.expected()
    assert log.copied_count() == 300


def test_a_fenced_zombie_stops(log: Log, tmp_path: Path) -> None:
    """A worker that stood still while another took its slot ends, may be started again, and adds nothing."""
    log.set_up()
    log.publish(numbers(300))
    gate = tmp_path / "gate"
    zombie = spawn(log, 0, step="produced", times=3, pause_file=str(gate))
    eventually(Path(f"{gate}.reached").exists, "the zombie inside a transaction")

    with Worker(log, 0) as successor:
        eventually(lambda: successor.loop_started, "the successor's start")
        gate.touch()
        assert zombie.wait(60) == Retriable.exit_code
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
    with Worker(log, 0):  # the slot that was left; another would wait for the end of its session
        eventually(lambda: log.copied_count() >= 300, "the rest")
    assert log.copied() == log.expected()
