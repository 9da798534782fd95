"""The tutorial's own code, run as it stands there: the processor, its test, and what every processor must hold to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands._new_processor import write_processor
from tests.docs import tutorial
from tidings.errors import BadInput


def run(folder: Path, *command: str) -> None:
    """Run a command in a checkout; it has to end well."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the guide's processor and a new one were written."""
    folder = tutorial.checkout(tmp_path_factory.mktemp("checkout"))
    tutorial.follow(folder)
    write_processor("brand-new", folder)
    return folder


def test_the_guide_and_what_new_writes_pass_their_tests_and_the_suite(written: Path) -> None:
    """Their own tests, and all that every processor inherits."""
    tests = [f"tests/stream_processors/derived/test_{name}.py" for name in ("slow_decisions", "brand_new")]
    suite = ["tests/compliance/test_processors.py", "-k", "slow or brand or derived"]
    run(written, "pytest", "-q", "-p", "no:cacheprovider", *tests, *suite)


def test_what_new_writes_passes_the_lint(written: Path) -> None:
    """As it is: ruff, its format, and mypy --strict."""
    files = [
        "stream_processors/derived/brand_new.py", "stream_processors/derived/slow_decisions.py",
        "tests/stream_processors/derived/test_brand_new.py",
    ]  # fmt: skip
    run(written, "ruff", "check", *files[:1], files[2])
    run(written, "ruff", "format", "--check", *files[:1], files[2])
    cache, known = written / "mypy", tutorial.CHECKOUT / ".mypy_cache"
    if known.is_dir():  # what the lint has found out of the checkout, by the content of each file
        shutil.copytree(known, cache)
    run(written, "mypy", "--cache-dir", str(cache), "-p", "stream_processors.derived")


def test_its_page_is_written(written: Path) -> None:
    """`tidings docs` finds it, and the command line has a verb for it."""
    run(written, "commands", "docs")
    run(written, "commands", "run", "brand-new", "--help")

    assert "## brand-new" in (written / "docs" / "reference" / "processors.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["Bad", "a_b", "1st", "", "../x"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    """And nothing is written."""
    with pytest.raises(BadInput):
        write_processor(name, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A second time is refused."""
    write_processor("twice", tmp_path)
    with pytest.raises(BadInput, match="is there already"):
        write_processor("twice", tmp_path)
