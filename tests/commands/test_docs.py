"""The generated reference: current, the same each time, complete, and free of this machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands import VERBS, _docs_reference, app
from commands._docs_reference import CHECKOUT, REFERENCE, reference, stale, write_reference
from commands._docs_settings import VARIABLES, docstring_table
from commands._reasons import REASONS
from connectors import SOURCES
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.checks import CHECKS
from tidings.errors import ReasonCode
from tidings.kafka import cluster
from tidings.masks import MASKS
from tidings.metrics import METRICS


@cache
def made() -> dict[str, str]:
    """The reference, made once."""
    return reference()


@pytest.fixture
def current(tmp_path: Path) -> Path:
    """A folder that holds the reference."""
    for name, text in made().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


def test_the_checkout_is_current() -> None:
    """docs/reference is what the generator makes, page for page and byte for byte."""
    assert stale(REFERENCE, made()) == [], "run `make docs` and commit what it writes"


def test_check_names_what_is_stale(current: Path) -> None:
    """`tidings docs --check` exits 1 and names a page that differs, one that is missing and one too many."""
    (current / "masks.md").write_text("edited by hand", "utf-8")
    (current / "checks.md").unlink()
    (current / "old.md").write_text("a page of what is gone", "utf-8")

    result = CliRunner().invoke(app, ["docs", "--check", "--out", str(current)])

    assert result.exit_code == 1
    assert all(name in result.output.replace("\n", "") for name in ("masks.md", "checks.md", "old.md"))
    assert "metrics.md" not in result.output


def test_what_is_written_is_the_same_each_time(tmp_path: Path) -> None:
    """`tidings docs` makes the pages anew: they are those of before, byte for byte, since nothing in them depends on
    the time or the order of a set, and pages that are no more are gone. `--check` makes them again and names none."""
    (tmp_path / "old.md").write_text("a page of what is gone", "utf-8")

    assert CliRunner().invoke(app, ["docs", "--out", str(tmp_path)]).exit_code == 0
    assert {path.relative_to(tmp_path).as_posix(): path.read_text("utf-8") for path in tmp_path.rglob("*.md")} == made()
    assert CliRunner().invoke(app, ["docs", "--check", "--out", str(tmp_path)]).exit_code == 0


def test_what_is_current_is_not_written(current: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing is idempotent: where the folder holds the reference, no page changes."""
    monkeypatch.setattr(_docs_reference, "reference", made)
    written = {path: path.stat().st_mtime_ns for path in current.rglob("*.md")}

    assert write_reference(current) == 0
    assert {path: path.stat().st_mtime_ns for path in current.rglob("*.md")} == written


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("masks.md", sorted(MASKS)),
        ("checks.md", sorted(CHECKS)),
        ("sources.md", sorted(SOURCES)),
        ("metrics.md", [each.name for each in METRICS]),
        ("errors.md", [each.value for each in ReasonCode]),
    ],
)
def test_tables_are_complete(page: str, names: list[str]) -> None:
    """Every member of a closed table stands on its page."""
    assert [name for name in names if name not in made()[page]] == []


def test_every_event_type_and_agreement_has_a_page() -> None:
    """The folders of event types and of agreements have a page for each file."""
    types = load_catalogue(default_catalogue_dir()).event_types
    files = {path.stem for path in (CHECKOUT / "agreements").glob("*.yaml")} - {"agencies"}
    pages = {Path(name).stem.rpartition("-v")[0] for name in made() if name.startswith("agreements/")}

    assert {f"event-types/{name}.md" for name in types} <= set(made())
    assert files == pages - {""}


def test_every_verb_is_documented() -> None:
    """Every verb of the table whose module exists stands on the page of commands."""
    there = [verb for verb, (module, _) in VERBS.items() if (CHECKOUT / f"{module.replace('.', '/')}.py").exists()]

    assert [verb for verb in there if f"## tidings {verb}\n" not in made()["commands.md"]] == []


def test_every_reason_code_has_a_meaning() -> None:
    """In words that publishers read beside the code."""
    assert set(REASONS) == set(ReasonCode)


def test_the_cluster_file_is_documented_key_by_key() -> None:
    """The table in the module's docstring, which is the reference, names exactly the keys that are read."""
    keys = set(cluster._File.model_fields)
    rows = [line.split("`")[1] for line in docstring_table(cluster).splitlines() if line.startswith("| `")]

    assert set(rows) == keys


def test_no_variable_is_undocumented() -> None:
    """Every TIDINGS_ variable that the code reads is in the table of settings."""
    rooms = ("tidings", "commands", "connectors", "producers", "stream_processors", "deploy")
    text = "\n".join(path.read_text("utf-8") for room in rooms for path in (CHECKOUT / room).rglob("*.py"))
    known = {name for name, _, _ in VARIABLES}

    assert {word for word in known if f'"{word}"' not in text} == set()
    assert {line.split('"')[1] for line in text.splitlines() if '= "TIDINGS_' in line or '("TIDINGS_' in line} <= known


def test_nothing_of_this_machine_is_in_it() -> None:
    """No page holds a path of the machine that made it."""
    home, checkout = str(Path.home()), str(CHECKOUT)

    assert [name for name, text in made().items() if checkout in text or (len(home) > 1 and f"{home}/" in text)] == []


def test_links_lead_somewhere() -> None:
    """Every relative link of a page leads to another page, and its anchor to a heading there."""
    broken = []
    for name, text in made().items():
        for link in _links(text):
            path, _, anchor = link.partition("#")
            target = (REFERENCE / name).parent / path if path else REFERENCE / name
            there = made().get(target.resolve().relative_to(REFERENCE).as_posix())
            headings = [
                line.lstrip("# ").lower().replace(" ", "-") for line in (there or "").splitlines() if line[:1] == "#"
            ]
            if there is None or (anchor and anchor not in headings):
                broken.append(f"{name}: {link}")

    assert broken == []


def _links(text: str) -> list[str]:
    parts = text.split("](")[1:]
    return [part.partition(")")[0] for part in parts if not part.startswith("http")]
