"""`tidings observe` without a stack: what it refuses, and that it ends only what it started."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.beside import beside, remember
from deploy.local.processes import Process, spawn
from deploy.prometheus.observe import observe, stop_observing, watching
from tests.commands.kit import tidings
from tidings.errors import Fatal


def test_without_prometheus_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And starts nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Fatal, match="apt-get install prometheus"):
        observe(tmp_path, tmp_path / "cluster.json")

    assert list(tmp_path.iterdir()) == []


def test_without_a_stack_there_is_nothing_to_observe(tmp_path: Path) -> None:
    """It names the command that makes one; ending what never began is no error."""
    said = tidings("observe", "--data", tmp_path)

    assert said.code == Fatal.exit_code
    assert "`tidings up`" in said.err
    assert "Nothing was observing" in tidings("observe", "--stop", "--data", tmp_path).out


def test_it_ends_what_it_started_and_forgets_it(tmp_path: Path) -> None:
    """A process that runs is ended; one whose number belongs to somebody else by now is left alone."""
    mine = spawn("monitor", [sys.executable, "-c", "import signal; signal.pause()"], tmp_path / "log", cwd=tmp_path)
    theirs = Process("prometheus", 1, "another start", "log")
    exchange = Process("exchange", 1, "another start", "log")
    remember(tmp_path, exchange, replace(mine, pid=1))
    remember(tmp_path, mine, theirs)

    assert [each.name for each in stop_observing(tmp_path)] == ["monitor"]
    assert not mine.running()
    assert (watching(tmp_path), beside(tmp_path)) == ((), (exchange,))


def test_a_damaged_state_is_not_guessed_at(tmp_path: Path) -> None:
    """What runs cannot be known from it."""
    (tmp_path / "beside.json").write_text("{")
    with pytest.raises(Fatal, match="damaged"):
        watching(tmp_path)
