"""Register Serialisation Format: the real country register's counts, the meaning of entries, and damaged files."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sources._root_hash import RootHash
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


EMPTY = "sha-256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ADDRESSES = (
    ("12345", "19205fafe65406b9b27fce1b689abc776df4ddcf150c28b29b73b4ea054af6b9"),
    ("6789", "bd239db51960376826b937a615f0f3397485f00611d35bb7e951e357bf73b934"),
    ("12345", "cc8a7c42275c84b94c6e282ae88b3dbcc06319156fc4539a2f39af053bf30592"),
    ("145678", "8ac926428ee49fb83c02bdd2556e62e84cfd9e636cd35eb1306ac8cb661e4983"),
    ("12345", "19205fafe65406b9b27fce1b689abc776df4ddcf150c28b29b73b4ea054af6b9"),
)
ROOTS = {
    0: EMPTY,
    1: "sha-256:1ff5df752df3070a48c52fb6b203f4c2f83a6962484f8d20c911260736d13eb0",
    2: "sha-256:7cdec03e9aba7810340596079a18b495dbc93f22a8d051d3417fb4a79b1f6124",
    5: "sha-256:a0aa6dace50e47c68fd4a79e3d94ba525f827e0a44bb64ed2e5f75cfe051b71c",
}
"""The address register of openregister-java's own test (DataDownloadFunctionalTest), and the roots that it served."""


def test_root_hashes_are_those_that_a_register_served() -> None:
    """After 0, 1, 2 and 5 entries the root is the one that the reference implementation published."""
    root, seen = RootHash(), {}
    for number, (key, item_hash) in enumerate((*ADDRESSES, ("", ""))):
        seen[number] = root.value()
        root.append(key, "2017-06-01T10:13:27Z", f"sha-256:{item_hash}")

    assert {number: seen[number] for number in ROOTS} == ROOTS


@given(st.lists(st.text(max_size=8), max_size=40))
def test_the_running_root_is_the_tree_of_the_standard(keys: list[str]) -> None:
    """For any entries the root kept level by level is RFC 6962's, which splits at the largest power of two."""

    def tree(leaves: list[bytes]) -> bytes:
        if len(leaves) < 2:
            return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
        split = 1 << ((len(leaves) - 1).bit_length() - 1)
        return hashlib.sha256(b"\1" + tree(leaves[:split]) + tree(leaves[split:])).digest()

    root, leaves = RootHash(), []
    for number, key in enumerate(keys, start=1):
        root.append(key, "t", "h")
        at = f'"index-entry-number":"{number}","entry-number":"{number}","entry-timestamp":"t"'
        leaves.append(f'{{{at},"key":{json.dumps(key, ensure_ascii=False)},"item-hash":["h"]}}'.encode())

    assert root.value() == f"sha-256:{tree(leaves).hex()}"


def asserted(root: str) -> str:
    """An assert-root-hash line."""
    return f"assert-root-hash\t{root}\n"


def test_root_hashes_in_a_file() -> None:
    """The roots before and after the entries hold, system entries not counted; one changed digit is refused, and counts
    as no record."""
    root = RootHash()
    root.append("AA", "2025-01-01T00:00:00Z", f"sha-256:{hashlib.sha256(ONE.encode()).hexdigest()}")
    lines = asserted(EMPTY) + REGISTER + asserted(EMPTY) + item(ONE) + entry("AA", ONE)
    good, bad = lines + asserted(root.value()), lines + asserted(root.value()[:-1] + "x")
    false = lines + asserted(EMPTY)

    assert [each.kind for each in read(NAME, good.encode()) if isinstance(each, SetAsideRecord)] == [
        "root-hash", "system", "root-hash", "root-hash",
    ]  # fmt: skip
    assert refusals(read(NAME, good.encode())) == []
    assert refusals(read(NAME, bad.encode())) == [(7, "assert-root-hash", "hash-form")]
    assert refusals(read(NAME, false.encode())) == [(7, "assert-root-hash", "root-hash")]
    assert changes(read(NAME, false.encode())) == ["CREATED"]


def test_a_file_that_continues_a_register() -> None:
    """After the root of a register that is not empty no entry can be judged: every one is refused, none is CREATED."""
    lines = asserted(ROOTS[1]) + REGISTER + item(ONE) + entry("AA", ONE)

    assert [rule for _, _, rule in refusals(read(NAME, lines.encode()))] == ["root-hash", "register-incomplete"]


@pytest.mark.real_data
def test_an_entry_taken_out_of_the_real_file_is_seen_by_the_root() -> None:
    """A whole entry that is missing leaves every item's hash right but its own; the root says so."""
    if not REAL.exists():
        pytest.skip(f"the shared real data is absent: {REAL.name}")
    lines = REAL.read_text("utf-8").splitlines(keepends=True)
    root = RootHash()
    for line in lines:
        parts = line.rstrip("\n").split("\t")
        if parts[0] == "append-entry" and parts[1] == "user":
            root.append(*parts[2:])
    whole = "".join(lines) + asserted(root.value())
    short = "".join(line for line in lines if "\tZW\t" not in line) + asserted(root.value())

    assert refusals(read(NAME, whole.encode())) == []
    assert [rule for _, _, rule in refusals(read(NAME, short.encode()))] == ["root-hash", "item-unreferenced"]
