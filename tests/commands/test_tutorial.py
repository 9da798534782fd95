"""The tutorial's processor, taken to the real stack by the tutorial's own commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from deploy.prometheus.observe import TARGETS
from tests.commands.conftest import Running
from tests.commands.kit import reader_of, running_exchange
from tests.docs import tutorial
from tests.eventually import eventually
from tests.stacks import gate_from

pytestmark = pytest.mark.stack

TOPIC = "slow-decisions.gro"


def test_it_is_planned_applied_and_run(running: Running, tmp_path: Path) -> None:
    """`plan` shows its topic and its principal, `apply` makes them, `run` fills what the publisher may read."""
    stack = running.life.stack
    folder = tutorial.checkout(tmp_path / "checkout")
    tutorial.follow(folder)
    plan, apply, run = tutorial.commands()

    gate_from(stack, folder)
    try:
        planned, applied = (_command(words, folder, running) for words in (plan, apply))
        assert (planned.returncode, applied.returncode) == (2, 0), planned.stderr + applied.stderr
        assert f"topic {TOPIC}" in planned.stdout
        assert "processor-slow-decisions" in planned.stdout
        assert run[:2] == ["tidings", "run"]
        with running_exchange(stack.cluster_file, tmp_path / "log", stack.data / TARGETS, run[2], folder):
            _await_a_day(running)
    finally:
        gate_from(stack, tutorial.CHECKOUT)


def _command(words: list[str], folder: Path, running: Running) -> subprocess.CompletedProcess[str]:
    """A command of the tutorial, with the code of its checkout."""
    assert words[0] == "tidings"
    life = running.life
    where = ["--cluster", str(life.stack.cluster_file), "--country", str(life.folder)]
    return subprocess.run(
        [sys.executable, "-m", "commands", *words[1:], *where], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "250"},
    )  # fmt: skip


def _await_a_day(running: Running) -> None:
    """What the publisher whom it is about may read with its own credentials."""
    consumer = reader_of(running.life.cluster, "gro")
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    try:
        eventually(lambda: _is_record(consumer.poll(0.5)), "a day's longest wait is sent on")
    finally:
        consumer.close()


def _is_record(message: object) -> bool:
    return message is not None and message.error() is None  # type: ignore[attr-defined]
