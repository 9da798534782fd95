"""The newcomer's first command, as it is run: exit code, summary, and nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
EVENTS = 400
COLUMNS = (
    "published",
    "accepted",
    "rejected",
    "duplicate",
    "quarantined",
    "delivered",
    "withdrawn",
    "filtered",
    "held",
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The demo, run once with neither java nor mvn to be found: its exit code, what it printed, its summary."""
    home = tmp_path_factory.mktemp("demo")
    path = os.pathsep.join(
        each for each in os.environ["PATH"].split(os.pathsep) if not {"java", "mvn"} & set(_names(Path(each)))
    )
    out = home / "demo.json"
    command = [sys.executable, "-m", "commands", "demo", "--data", str(home / "data"), "--out", str(out)]
    done = subprocess.run(
        [*command, "--events", str(EVENTS)],
        cwd=CHECKOUT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert shutil.which("java", path=path) is None
    return done, json.loads(out.read_text()) if out.exists() else None, home


def _names(folder):
    return [each.name for each in folder.iterdir()] if folder.is_dir() else []


def test_the_demo_ends_with_a_balanced_account(run):
    """Exit code 0, `balanced` true, and each column of the summary adds up by itself."""
    done, summary, _ = run

    assert done.returncode == 0, done.stderr[-2000:]
    assert summary["balanced"] is True
    totals = {column: sum(summary[column].values()) for column in COLUMNS}
    assert totals["published"] > EVENTS
    parts = totals["accepted"] + totals["rejected"] + totals["duplicate"] + totals["quarantined"]
    assert totals["published"] == parts
    assert totals["delivered"] > 0
    assert set(summary["latency_ms"]) == {"p50", "p99", "max"}
    assert summary["seconds"] > 0


def test_the_demo_shows_the_rejections_of_the_files_and_one_record_beside_its_views(run):
    """What a newcomer reads: a record refused before it was sent, a record with its views, the account."""
    done, _, _ = run

    assert "1 refused before they were sent" in done.stdout
    assert "what each agency sees of it" in done.stdout
    assert "The account balances." in done.stdout


def test_the_demo_leaves_nothing_running(run):
    """The stack's own record of what runs is empty afterwards."""
    _, _, home = run

    assert json.loads((home / "data" / "stack.json").read_text())["processes"] == []
