"""The page of evidence names tests and files that are there, and no paragraph of it stands without a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "guides" / "delivery-evidence.md").read_text("utf-8")
_TEST = re.compile(r"`(test_\w+)(?:::(test_\w+))?`")
_FILE = re.compile(r"`((?:tidings|stream_processors|commands|producers|deploy|tests)/[\w/.]*)`")


def test_every_test_that_is_named_is_there() -> None:
    """A test that is renamed or taken out is renamed or missed here."""
    named = {(module, name) for module, name in _TEST.findall(PAGE)}
    gone = [pair for pair in sorted(named) if not any(_holds(path, pair[1]) for path in _modules(pair[0]))]

    assert len(named) > 40
    assert gone == []


def test_every_file_that_is_named_is_there() -> None:
    """A guarantee is kept by the file that the page says."""
    assert [name for name in _FILE.findall(PAGE) if not (CHECKOUT / name).exists()] == []


def test_every_guarantee_names_a_test() -> None:
    """No row of the first table is a claim alone, and none stands outside a paragraph."""
    table = PAGE.partition("## Not held")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]

    assert rows[0][0].startswith("**")
    assert [
        row[0] for row in rows if not row[0].startswith("**") and not _TEST.search(row[2]) and row[2] != "the same"
    ] == []


def _modules(name: str) -> list[Path]:
    return list((CHECKOUT / "tests").rglob(f"{name}.py"))


def _holds(path: Path, test: str) -> bool:
    """Whether a module has the test; any, where none is named."""
    functions = [each.name for each in ast.parse(path.read_text("utf-8")).body if isinstance(each, ast.FunctionDef)]
    return not test or test in functions
