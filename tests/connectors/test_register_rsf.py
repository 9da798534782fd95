"""Register Serialisation Format: the real country register's counts, the meaning of entries, and damaged files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from connectors.sources.base import Outcome, RefusedRecord, SetAsideRecord, SourceRecord
from tests.compliance.sources import REGISTER, countries, entry, item, read

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "registers" / "country.rsf"
NAME = "register-rsf"
ONE = '{"country":"AA","name":"One"}'


def refusals(outcomes: list[Outcome]) -> list[tuple[int, str, str]]:
    """Line, field and rule of each refusal."""
    return [(e.problem.line, e.problem.field, e.problem.rule) for e in outcomes if isinstance(e, RefusedRecord)]


def changes(outcomes: list[Outcome]) -> list[str]:
    """The change of each event, in order."""
    return [each.event["change"] for each in outcomes if isinstance(each, SourceRecord)]


@pytest.mark.real_data
def test_the_real_file() -> None:
    """224 entries: 16 of the system, 208 of users: 199 first ones, Germany begins again, and 8 are changes."""
    if not REAL.exists():
        pytest.skip(f"the shared real data is absent: {REAL.name}")
    outcomes = read(NAME, REAL.read_bytes())

    assert Counter(type(each).__name__ for each in outcomes) == {"SourceRecord": 208, "SetAsideRecord": 16}
    assert Counter(changes(outcomes)) == {"CREATED": 200, "CHANGED": 8}
    germany = [e.event for e in outcomes if isinstance(e, SourceRecord) and e.event["record_id"] == "DE"]
    assert [(each["change"], each["record_version"]) for each in germany] == [("CREATED", 1), ("CREATED", 2)]


@pytest.mark.real_data
def test_one_changed_byte_in_the_real_file() -> None:
    """An altered item no longer has the hash that its entry names: entry and item are refused, nothing else."""
    if not REAL.exists():
        pytest.skip(f"the shared real data is absent: {REAL.name}")
    outcomes = read(NAME, REAL.read_bytes().replace(b'"citizen-names":"Honduran"', b'"citizen-names":"Hondurax"'))

    assert {rule for _, _, rule in refusals(outcomes)} == {"item-hash", "item-unreferenced"}
    assert len(changes(outcomes)) == 207


def test_the_life_of_a_key() -> None:
    """Created, changed, ended; used again after its end: created again. An end that is taken back: reinstated."""
    again = '{"country":"AA","name":"Two","start-date":"2002-01-01"}'
    ended = '{"country":"AA","end-date":"2001-01-01","name":"Uno"}'
    changed = '{"country":"AA","name":"Uno"}'

    assert changes(read(NAME, countries(ONE, changed, ended, again))) == ["CREATED", "CHANGED", "ENDED", "CREATED"]
    assert changes(read(NAME, countries(ONE, ended, changed))) == ["CREATED", "ENDED", "REINSTATED"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("drop-table\tx\n", (3, "(command)", "unknown-command")),
        ("append-entry\tuser\tAA\n", (3, "append-entry", "fields")),
        (entry("AA", ONE, "admin"), (3, "append-entry.region", "region")),
        (entry("AA", ONE), (3, "append-entry.hash", "item-hash")),
        (entry("AA", ONE).replace("sha-256:", "md5:"), (3, "append-entry.hash", "hash-form")),
        (entry("AA", ONE).replace("2025-01-01", "2025-02-30"), (3, "append-entry.time", "date-time")),
        ("assert-root-hash\tsha-256:zz\n", (3, "assert-root-hash", "hash-form")),
        (item("[1]") + entry("AA", "[1]"), (4, "add-item", "item-json")),
        (item(ONE) + entry("BB", ONE), (4, "add-item.country", "key-mismatch")),
        (item('{"country":"AA","x":"y"}') + entry("AA", '{"country":"AA","x":"y"}'), (4, "add-item", "unknown-field")),
        (item('{"country":"AA","name":["y"]}') + entry("AA", '{"country":"AA","name":["y"]}'),
         (4, "add-item.name", "cardinality")),
        (item('{"country":"AA","start-date":"soon"}') + entry("AA", '{"country":"AA","start-date":"soon"}'),
         (4, "add-item.start-date", "date")),
        (item(ONE), (3, "add-item", "item-unreferenced")),
        ("add-item\t" + "x" * 1_100_000 + "\n", (3, "(line)", "line-too-long")),
    ],
)  # fmt: skip
def test_a_bad_line_loses_nothing_else(lines: str, expected: tuple[int, str, str]) -> None:
    """A refused line is named by line, field and rule; the entries after it are events."""
    good = '{"country":"CC","name":"Good"}'
    outcomes = read(NAME, (REGISTER + lines + item(good) + entry("CC", good)).encode())

    assert refusals(outcomes) == [expected]
    assert changes(outcomes) == ["CREATED"]


def test_a_line_that_is_not_utf8() -> None:
    """Bytes that are not UTF-8 refuse their line only."""
    outcomes = read(NAME, REGISTER.encode() + b"add-item\t{\xff}\n" + (item(ONE) + entry("AA", ONE)).encode())

    assert refusals(outcomes) == [(3, "(line)", "encoding")]
    assert changes(outcomes) == ["CREATED"]


def test_a_register_that_nobody_knows() -> None:
    """Without a system entry that names a known register, no user entry is taken."""
    outcomes = read(NAME, (item(ONE) + entry("AA", ONE)).encode())

    assert [rule for _, _, rule in refusals(outcomes)] == ["register-unknown"]


def test_root_hashes() -> None:
    """The root hash of the empty register is verified; another there is refused, a later one set aside by name."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    lines = f"assert-root-hash\tsha-256:{empty}\n" + REGISTER + f"assert-root-hash\tsha-256:{'0' * 64}\n"
    kinds = [each.kind for each in read(NAME, lines.encode()) if isinstance(each, SetAsideRecord)]

    assert kinds == ["root-hash", "system", "root-hash-unverified"]
    assert refusals(read(NAME, f"assert-root-hash\tsha-256:{'0' * 64}\n".encode())) == [
        (1, "assert-root-hash", "root-hash")
    ]
