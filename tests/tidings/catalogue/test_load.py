"""The loader takes a good folder and refuses each bad one with file, line, field and rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.errors import BadInput, Problem

EVENT = "death-registered.avsc"
Spoil = Callable[[str, Callable[[dict[str, Any]], Any]], Path]


def _field(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(field for field in document["fields"] if field["name"] == name)
    return found


def _problems(folder: Path, **more: Any) -> tuple[Problem, ...]:
    with pytest.raises(BadInput) as caught:
        load_catalogue(folder, **more)
    return caught.value.problems


def _line_of(folder: Path, file: str, text: str) -> int:
    lines = (folder / file).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


BAD: dict[str, tuple[str, Callable[[dict[str, Any]], Any], str, str, str]] = {
    # case: (file, what is spoilt, rule, field, text of the line)
    "doc": (EVENT, lambda d: _field(d, "informant").pop("doc"), "doc", "informant", '"name": "informant"'),
    "category": (EVENT, lambda d: _field(d, "informant").pop("category"), "category", "informant", '"informant"'),
    "unknown category": (
        EVENT,
        lambda d: _field(d, "informant").update(category="secret"),
        "category",
        "informant",
        '"name": "informant"',
    ),
    "unknown key": (
        EVENT,
        lambda d: _field(d, "informant").update(dok="x"),
        "unknown-key",
        "informant",
        '"name": "informant"',
    ),
    "unknown top key": (EVENT, lambda d: d.update(ownr="gro"), "unknown-key", "ownr", '"ownr"'),
    "body without null": (
        EVENT,
        lambda d: _field(d, "cause_of_death").update(type="string"),
        "absent-by-default",
        "cause_of_death",
        '"name": "cause_of_death"',
    ),
    "body without default": (
        EVENT,
        lambda d: _field(d, "cause_of_death").pop("default"),
        "absent-by-default",
        "cause_of_death",
        '"name": "cause_of_death"',
    ),
    "head changed": (EVENT, lambda d: _field(d, "reason").update(doc="else"), "head", "reason", '"name": "reason"'),
    "head out of order": (
        EVENT,
        lambda d: d["fields"].insert(0, d["fields"].pop(1)),
        "head",
        "event_id",
        '"name": "change"',
    ),
    "unknown type": (
        EVENT,
        lambda d: _field(d, "informant").update(type=["null", "tidings.types.Nobody"]),
        "unknown-type",
        "informant",
        "tidings.types.Nobody",
    ),
    "wide union": (
        EVENT,
        lambda d: _field(d, "informant").update(type=["null", "string", "int"]),
        "union",
        "informant",
        '"name": "informant"',
    ),
    "map": (
        EVENT,
        lambda d: _field(d, "informant").update(type=["null", {"type": "map", "values": "string"}]),
        "type",
        "informant",
        '"name": "informant"',
    ),
    "name of file": (EVENT, lambda d: d.update(name="Death"), "name-of-file", "name", '"name": "Death"'),
    "namespace": (EVENT, lambda d: d.update(namespace="x"), "namespace", "namespace", '"namespace": "x"'),
    "doubled name": (
        EVENT,
        lambda d: _field(d, "informant").update(name="stillbirth"),
        "doubled-name",
        "stillbirth",
        "Whether the child was stillborn",
    ),
    "no entry": (EVENT, lambda d: d.pop("catalogue"), "required", "catalogue", "{"),
    "no owner": (EVENT, lambda d: d["catalogue"].pop("owner"), "missing", "catalogue.owner", '"catalogue"'),
    "unknown entry key": (
        EVENT,
        lambda d: d["catalogue"].update(retention=1),
        "unknown-key",
        "catalogue.retention",
        '"retention": 1',
    ),
    "too many partitions": (
        EVENT,
        lambda d: d["catalogue"].update(partitions=9),
        "less-than-equal",
        "catalogue.partitions",
        '"partitions"',
    ),
    "owner is no id": (EVENT, lambda d: d["catalogue"].update(owner="G.R.O."), "id", "catalogue.owner", '"owner"'),
    "check on no path": (
        EVENT,
        lambda d: d["catalogue"]["checks"][0].update(paths=["deceased.nobody"]),
        "unknown-path",
        "catalogue.checks.0",
        "deceased.nobody",
    ),
    "check's parameter on no path": (
        EVENT,
        lambda d: d["catalogue"]["checks"][0]["params"].update(first="nowhere"),
        "unknown-path",
        "catalogue.checks.0",
        "nowhere",
    ),
    "filter on no path": (
        EVENT,
        lambda d: d["catalogue"]["default_where"][0].update(path="nowhere"),
        "unknown-path",
        "catalogue.default_where.0",
        "nowhere",
    ),
    "type without doc": ("types/Name.avsc", lambda d: d.pop("doc"), "doc", "doc", "{"),
    "type's field without category": (
        "types/Name.avsc",
        lambda d: _field(d, "family").pop("category"),
        "category",
        "family",
        '"name": "family"',
    ),
    "field without type": (EVENT, lambda d: _field(d, "informant").pop("type"), "field", "fields.20", '"informant"'),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_refused_with_its_place(spoil: Spoil, case: str) -> None:
    """Each kind of mistake is named with its file, its line, its field and its rule."""
    file, how, rule, field, text = BAD[case]
    folder = spoil(file, how)

    found = _problems(folder)

    assert (Path(file).name, _line_of(folder, file, text), field, rule) in [
        (each.file, each.line, each.field, each.rule) for each in found
    ]


def test_good_folder_is_taken(folder: Path) -> None:
    """The unspoilt copy loads, so that each refusal above has its one cause."""
    assert list(load_catalogue(folder).event_types) == ["death-registered"]


def test_all_problems_are_told_at_once(spoil: Spoil) -> None:
    """Two mistakes in two files are two problems of one error."""
    spoil("types/Name.avsc", lambda d: _field(d, "family").pop("doc"))
    folder = spoil(EVENT, lambda d: _field(d, "informant").pop("doc"))

    assert {"Name.avsc", EVENT} == {each.file for each in _problems(folder) if each.rule == "doc"}


def test_unknown_check_is_refused_where_names_are_given(folder: Path) -> None:
    """With the table's names handed in, a check that is not among them is refused; without, any name is taken."""
    rules = {each.rule for each in _problems(folder, known_checks=["date_exists"])}

    assert {"unknown-check"} == rules


def test_syntax_error_has_its_line(folder: Path) -> None:
    """A file that is not JSON is refused at the line where it stops being JSON."""
    (folder / EVENT).write_text('{\n  "type": "record",\n  oops\n}\n', "utf-8")

    assert (Problem(EVENT, 3, "", "json", "Expecting property name enclosed in double quotes"),) == _problems(folder)


@pytest.mark.parametrize("depth", [300, 100_000])
def test_a_file_that_nests_too_deeply_is_refused(folder: Path, depth: int) -> None:
    """Whether or not Python's own reader would take it."""
    (folder / EVENT).write_text("[" * depth + "]" * depth)

    assert (Problem(EVENT, 0, "", "json", "nested too deeply"),) == _problems(folder)


def test_doubled_key_is_refused(folder: Path) -> None:
    """A key that stands twice is refused: JSON readers silently keep the last."""
    (folder / EVENT).write_text('{\n  "type": "record",\n  "type": "enum"\n}\n', "utf-8")

    assert (Problem(EVENT, 3, "type", "doubled-key", "this key stands here twice"),) == _problems(folder)


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    """A folder without event types is a mistake in a path, not an empty catalogue."""
    assert [each.rule for each in _problems(tmp_path)] == ["catalogue"]


def test_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TIDINGS_CATALOGUE overrides the checkout's own folder."""
    assert default_catalogue_dir().is_dir()
    monkeypatch.setenv("TIDINGS_CATALOGUE", str(tmp_path))
    assert tmp_path == default_catalogue_dir()


def _with_history(folder: Path, *versions: int) -> Path:
    schema = load_catalogue(folder).event_types["death-registered"].schema
    (folder / "history").mkdir()
    for version in versions:
        older = {**schema, "doc": f"Version {version}."}
        (folder / "history" / f"death-registered.v{version}.avsc").write_text(json.dumps(older), "utf-8")
    return folder


def test_older_versions_come_first(folder: Path) -> None:
    """Versions are the history in the order of its numbers (2 before 10), then the current one."""
    numbers = list(range(1, 11))
    event_type = load_catalogue(_with_history(folder, *numbers)).event_types["death-registered"]

    expected = [f"Version {number}." for number in numbers]
    assert expected == [each["doc"] for each in event_type.versions[:-1]]
    assert event_type.schema is event_type.versions[-1]


def test_gap_in_the_history_is_refused(folder: Path) -> None:
    """A version that is missing is refused: events of it may still stand in the inbox."""
    assert [each.rule for each in _problems(_with_history(folder, 1, 3))] == ["versions"]


def test_history_of_another_record_is_refused(folder: Path) -> None:
    """An older version under the wrong name is refused."""
    path = _with_history(folder, 1) / "history" / "death-registered.v1.avsc"
    path.write_text(path.read_text("utf-8").replace("DeathRegistered", "Death"), "utf-8")

    assert [each.rule for each in _problems(folder)] == ["name-of-file"]


def test_history_of_no_event_type_is_refused(folder: Path) -> None:
    """An older version of an event type that the catalogue does not hold is refused."""
    path = _with_history(folder, 1) / "history" / "death-registered.v1.avsc"
    path.rename(path.with_name("birth-registered.v1.avsc"))

    assert [each.rule for each in _problems(folder)] == ["name-of-file"]


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 600 + "]" * 600, "[" * 100_000 + "]" * 100_000])
def test_a_number_or_a_nesting_without_end_is_refused(folder: Path, value: str) -> None:
    """Python's own limits are told as what is wrong with the file."""
    (folder / "death-registered.avsc").write_text(f'{{"type": {value}}}', "utf-8")

    with pytest.raises(BadInput) as refused:
        load_catalogue(folder)

    assert [each.rule for each in refused.value.problems] == ["json"]


def test_an_inbox_outlives_the_quarantine():
    """A retention under the quarantine's and an outage's is refused: a quarantined event would expire unread."""
    from pydantic import ValidationError

    from tidings.catalogue.entry import CatalogueEntry
    from tidings.retention import INBOX_LEAST_DAYS

    entry = {
        "owner": "gro",
        "contact": "events@gro.example",
        "partitions": 1,
        "deduplication_window_events": 10,
        "checks": [],
        "default_where": [],
    }

    assert CatalogueEntry.model_validate({**entry, "retention_days": INBOX_LEAST_DAYS}).retention_days == 10
    with pytest.raises(ValidationError, match="greater_than_equal"):
        CatalogueEntry.model_validate({**entry, "retention_days": INBOX_LEAST_DAYS - 1})
