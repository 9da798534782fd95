"""Delimited tables: the real register, what a row may be, and rows that go wrong alone."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connectors import find_source
from connectors.sources._table_lines import MAX_ROW_BYTES
from connectors.sources.base import Cleansing, Outcome, RefusedRecord, SetAsideRecord, SourceContext, SourceRecord
from producers.publisher import DryPublisher
from tests.compliance.sources import COLUMNS, MAPPING, MARK, context, read, row
from tidings.policy.model import Environment

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = CHECKOUT / "examples" / "local-authorities.yaml"
REAL = CHECKOUT.parent / "shared" / "data" / "registers" / "local-authority-eng.tsv"
NAME = "delimited-table"
FORM = MAPPING.read_text("utf-8")


def table(*rows: str) -> bytes:
    """The suite's table of these rows."""
    return (COLUMNS + "".join(rows)).encode()


def refusals(outcomes: list[Outcome]) -> list[tuple[int, int, str, str]]:
    """Record, line, field and rule of each refusal."""
    return [
        (e.number, e.problem.line, e.problem.field, e.problem.rule) for e in outcomes if isinstance(e, RefusedRecord)
    ]


def events(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """The events."""
    return [each.event for each in outcomes if isinstance(each, SourceRecord)]


def read_as(tmp_path: Path, content: bytes, **form: str) -> list[Outcome]:
    """Read the suite's table under another form: each clause of `file:` that is named gets another value."""
    text = FORM
    for name, value in form.items():
        old = next((line for line in text.splitlines() if line.startswith(f"  {name}: ")), "  header: true")
        text = text.replace(old, f"  {name}: {value}" + ("" if f"  {name}: " in old else f"\n{old}"), 1)
    path = tmp_path / "deaths.yaml"
    path.write_text(text, "utf-8")
    return list(find_source("sample", b"", None, path).read(io.BytesIO(content), context(NAME)))


@pytest.mark.real_data
def test_the_real_register() -> None:
    """354 rows are 354 events that its type holds; of 45 the start date is a spreadsheet's damage, which is flagged;
    no row is refused. Counted in the file with `cut -f5 | grep -c ^1905-` and `wc -l`."""
    if not REAL.exists():
        pytest.skip(f"the shared real data is absent: {REAL.name}")
    outcomes = list(
        find_source(REAL.name, b"", None, EXAMPLE).read(
            io.BytesIO(REAL.read_bytes()), SourceContext(REAL.name, "mhclg-registers", "SYNTHETIC", 1_780_000_000_000)
        )
    )
    publisher = DryPublisher("mhclg-registers", Environment.SYNTHETIC)
    flags = Counter(
        str(flag)
        for each in outcomes
        if isinstance(each, SourceRecord)
        for flag in publisher.publish(each.event_type, each.event)
    )

    assert Counter(type(each).__name__ for each in outcomes) == {"SourceRecord": 354}
    assert flags == {"spreadsheet_date:start_date": 45}
    assert sum(each["end_date"] is not None for each in events(outcomes)) == 0


def test_what_becomes_of_a_row() -> None:
    """Every kind of rule fills its field: codes, dates, an instant of summer time, identifiers, lists, joined texts."""
    cells = {
        "action": "C",
        "shielded": "S",
        "second": " ANN ",
        "sex": "9",
        "locked": "01/07/2025 10:00",
        "job": "MASON",
    }
    [record] = read(NAME, table(row(1, died="00 feb 2025".replace("00", "28"), **cells)))
    assert isinstance(record, SourceRecord)
    event = record.event

    assert (event["change"], event["reason"], event["protection"]) == ("CORRECTED", "typographical", "FULL")
    assert event["recorded_at"] == event["locked_at"] == 1_751_360_400_000  # 2025-07-01T09:00:00Z
    assert [event["occurred_on"][part] for part in ("year", "month", "day")] == [2025, 2, 28]
    assert event["identifiers"] == [{"scheme": "nhs_number", "value": "9990000018", "verified": True}]
    assert event["deceased"]["names"][0]["given"] == [MARK, "ANN"]
    assert (event["deceased"]["sex"], event["deceased"]["occupation"]) == ("NOT_SPECIFIED", "MASON")
    assert event["usual_residence"]["lines"] == [f"1 {MARK} Road", MARK]
    assert event["registration_district"] == "ZZ9 9ZZ of GB"
    assert (event["source"]["system"], event["source"]["ref"]) == ("made-up-deaths", "1")
    assert record.cleansed == (
        Cleansing("second", "trim-names"),
        Cleansing("nhs", "nhs-spaces"),
        Cleansing("postcode", "upper-postcode"),
        Cleansing("country", "country-code"),
    )


def test_what_is_empty_is_absent() -> None:
    """A record whose columns are all empty is null, an element is left out, and constants alone fill neither."""
    empty = dict.fromkeys(("forename", "surname", "lines", "postcode", "country", "nhs", "checked", "born", "job"), "")
    [event] = events(read(NAME, table(row(1, **empty))))

    assert (event["usual_residence"], event["identifiers"], event["deceased"]["names"]) == (None, [], [])
    assert (event["deceased"]["date_of_birth"], event["deceased"]["occupation"]) == (None, None)


@pytest.mark.parametrize(
    ("died", "expected"),
    [
        ("2025-02", (2025, 2, None)),
        ("2025-00-00", (2025, None, None)),
        ("2025-02-00", (2025, 2, None)),
        ("2025-02-30", (2025, 2, 30)),  # the exchange's to refuse: the day does not exist
        ("14 FEB 2025", (2025, 2, 14)),
    ],
)
def test_partial_dates(died: str, expected: tuple[int, int | None, int | None]) -> None:
    """The first declared format that fits is taken, and what is not known stays so."""
    [event] = events(read(NAME, table(row(1, died=died))))

    assert tuple(event["occurred_on"][part] for part in ("year", "month", "day")) == expected


@pytest.mark.parametrize(
    ("cells", "field", "rule"),
    [
        ({"action": "Z"}, "action", "unknown-code"),
        ({"action": ""}, "change", "required"),
        ({"id": ""}, "record_id", "required"),
        ({"id": "77 1"}, "id", "identifier-form"),
        ({"row": ""}, "row", "required"),
        ({"row": "9" * 19}, "row", "number"),
        ({"row": "1.0"}, "row", "number"),
        ({"row": "\u0661"}, "row", "number"),
        ({"shielded": "?"}, "shielded", "unknown-code"),
        ({"died": "31/12/2024"}, "died", "date"),
        ({"died": "2025-2-1"}, "died", "date"),
        ({"locked": "30/03/2025 01:30"}, "locked", "date-time"),  # the hour that London's clocks leave out
        ({"locked": "31/02/2025 10:00"}, "locked", "date-time"),
        ({"nhs": "", "checked": "Y"}, "identifiers[0].scheme", "required"),
        ({"surname": "=cmd|' /C calc'!A0"}, "surname", "formula"),
        ({"forename": "@SUM(A1)"}, "forename", "formula"),
        ({"note": "-1+2"}, "note", "formula"),
        ({"surname": "\uff1dA1"}, "surname", "formula"),
        ({"lines": "1 Road; =A1"}, "usual_residence.lines", "formula"),
        ({"surname": "A\0B"}, "surname", "control-character"),
        ({"surname": "A\u202eB"}, "surname", "control-character"),
        ({"surname": "A\tB"}, "surname", "control-character"),
        ({"surname": '"A'}, "(row)", "line-break"),
        ({"surname": '"A"B"C"'}, "(row)", "quoting"),
        ({"surname": "A\ufffdB"}, "(row)", "encoding"),
        ({"surname": "A" * MAX_ROW_BYTES}, "(row)", "row-too-long"),
        ({"surname": 'one","two'}, "(row)", "columns"),
    ],
)  # fmt: skip
def test_a_bad_row_is_refused_alone(cells: dict[str, str], field: str, rule: str) -> None:
    """A row that cannot be an event is named by line, field and rule; its neighbours are events."""
    good = row(3, surname='"ends it"')
    outcomes = read(NAME, table(row(1), row(2, **cells), good, row(4)))

    assert refusals(outcomes) == [(2, 3, field, rule)]
    assert [each["record_id"] for each in events(outcomes)] == (
        ["771", "774"] if rule == "line-break" else ["771", "773", "774"]
    )
    assert MARK not in repr(outcomes)


def test_numbers_and_lone_signs_are_no_formulas() -> None:
    """A telephone number, a negative number and a dash compute nothing, and go through."""
    values = ["+44 (0)20 7946 0000", "-5", "- ", "4 - 5 = x"]
    outcomes = read(NAME, table(*(row(at, note=note) for at, note in enumerate(values))))

    assert [each["occurred_on"]["text"] for each in events(outcomes)] == values


def test_nothing_in_its_body_refuses_an_annulment() -> None:
    """A body that cannot be read is left out of an annulment, visibly; what names the event still refuses it."""
    cells = {"action": "X", "died": "soon", "surname": "=A1", "nhs": "999 x", "lines": "1 Road; @A1"}
    outcomes = read(NAME, table(row(1, **cells), row(2, action="X", shielded="?"), row(3, action="X", id="=1")))
    [event] = events(outcomes)
    [record] = [each for each in outcomes if isinstance(each, SourceRecord)]

    assert (event["change"], event["record_id"], event["deceased"], event["usual_residence"]) == (
        "ANNULLED",
        "771",
        None,
        None,
    )
    assert {(each.field, each.rule) for each in record.cleansed} >= {
        ("died", "not-in-annulment"), ("surname", "not-in-annulment"), ("usual_residence.lines", "not-in-annulment")
    }  # fmt: skip
    assert refusals(outcomes) == [(2, 3, "shielded", "unknown-code"), (3, 4, "id", "formula")]


def test_rows_that_are_no_records_are_counted_apart() -> None:
    """A total is set aside under its kind, and numbers go on over it."""
    outcomes = read(NAME, table(row(1), row(2, kind="T"), row(3)))

    assert [each for each in outcomes if isinstance(each, SetAsideRecord)] == [SetAsideRecord(2, 3, "total")]
    assert [each.number for each in outcomes if isinstance(each, SourceRecord)] == [1, 3]


def test_what_an_open_quote_holds_is_never_read_as_rows() -> None:
    """Lines inside a value are not records, whoever wrote them: they are refused with the row that opened the quote."""
    forged = row(99).rstrip("\n")
    outcomes = read(NAME, table(row(1), row(2, lines=f"1 Road\n{forged}\n"), row(3)))
    endless = read(NAME, table(row(1), row(2, surname='"never closed'), row(3)))

    assert refusals(outcomes) == [(2, 3, "(row)", "line-break")]
    assert [each["record_id"] for each in events(outcomes)] == ["771", "773"]
    assert refusals(endless) == [(2, 3, "(row)", "quoting")]
    assert [each["record_id"] for each in events(endless)] == ["771"]


def test_line_breaks_where_the_mapping_allows_them(tmp_path: Path) -> None:
    """A quoted value may go on over lines where that is declared; one that is too long is refused whole."""
    long = "\n".join([row(99).rstrip("\n")] * 1500)
    content = table(row(1, lines="1 Road\nTown"), row(2, lines=long), row(3), row(4, note='"open'))
    outcomes = read_as(tmp_path, content, line_breaks_in_values="true")

    assert events(outcomes)[0]["usual_residence"]["lines"] == ["1 Road\nTown"]
    assert [each["record_id"] for each in events(outcomes)] == ["771", "773"]
    assert refusals(outcomes) == [(2, 4, "(row)", "row-too-long"), (4, 1505, "(row)", "quoting")]


@pytest.mark.parametrize(
    ("encoding", "declared", "mark"),
    [
        ("utf-8", "utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", "utf-16", b"\xff\xfe"),
        ("utf-16-be", "utf-16", b"\xfe\xff"),
        ("utf-16-le", "utf-16-le", b""),
        ("utf-16-be", "utf-16-be", b"\xfe\xff"),
        ("latin-1", "latin-1", b""),
        ("cp1252", "windows-1252", b""),
        ("cp850", "cp850", b""),
    ],
)
def test_encodings(encoding: str, declared: str, mark: bytes, tmp_path: Path) -> None:
    """A declared encoding, with its mark or without, gives the characters that were written."""
    content = (COLUMNS + row(1, surname="ÉÖñ") + row(2)).replace("\n", "\r\n")
    outcomes = read_as(tmp_path, mark + content.encode(encoding), encoding=declared)

    assert [each["deceased"]["names"][0]["family"] for each in events(outcomes)] == ["ÉÖñ", MARK]


def test_bytes_of_another_encoding(tmp_path: Path) -> None:
    """Another encoding's mark refuses the file; bytes that the declared one lacks refuse their row."""
    utf16 = b"\xff\xfe" + table(row(1)).decode().encode("utf-16-le")
    mixed = table(row(1), row(2, surname="É"), row(3)).replace("É".encode(), b"\xc9")
    undefined = table(row(1), row(2, surname="É"), row(3)).replace("É".encode(), b"\x81")

    assert refusals(read(NAME, utf16)) == [(0, 1, "(file)", "encoding")]
    assert refusals(read_as(tmp_path, table(row(1)), encoding="utf-16")) == [(0, 1, "(file)", "encoding")]
    assert refusals(read_as(tmp_path, b"\xef\xbb\xbf" + table(row(1)), encoding="latin-1")) == [
        (0, 1, "(file)", "encoding")
    ]
    for outcomes in (read(NAME, mixed), read_as(tmp_path, undefined, encoding="windows-1252")):
        assert refusals(outcomes) == [(2, 3, "(row)", "encoding")]
        assert len(events(outcomes)) == 2
    odd = table(row(1), row(2)).decode().encode("utf-16-le")[:-4] + b"\x00\xd8" + "\n".encode("utf-16-le")
    assert [rule for *_, rule in refusals(read_as(tmp_path, odd, encoding="utf-16-le"))] == ["encoding"]


def test_other_delimiters_without_quotes_or_header(tmp_path: Path) -> None:
    """A mark or a name of a delimiter, no header: the first line is a record, and quotes are text."""
    for declared, mark in (("pipe", "|"), ('";"', ";"), ("unit-separator", "\x1f"), ("tab", "\t")):
        line = row(1, lines="1 Road", surname='O"NEIL').replace(",", mark).encode()
        outcomes = read_as(tmp_path, line, delimiter=declared, quoting="none", header="false")

        assert [each["deceased"]["names"][0]["family"] for each in events(outcomes)] == ['O"NEIL']


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", (0, 0, "(file)", "empty-file")),
        (COLUMNS.replace("sex", "gender").encode() + row(1).encode(), (0, 1, "(header)", "header")),
        (b"row\n", (0, 1, "(header)", "header")),
        (b"\xff\n", (0, 1, "(header)", "encoding")),
        (b"x" * 200_000, (0, 1, "(header)", "row-too-long")),
        (COLUMNS.encode() + row(1).encode()[:-1], (1, 2, "(row)", "cut-off")),
    ],
)
def test_files_that_are_refused(content: bytes, expected: tuple[int, int, str, str]) -> None:
    """An empty file, another header and a last line without its end are refused by rule; a header alone is no fault."""
    assert refusals(read(NAME, content)) == [expected]
    assert read(NAME, COLUMNS.encode()) == []


def test_a_last_line_without_end_where_the_mapping_allows_it(tmp_path: Path) -> None:
    """A file that never ends its last line is taken whole where that is declared."""
    outcomes = read_as(tmp_path, table(row(1), row(2))[:-1], last_line_ends="false")

    assert [each["record_id"] for each in events(outcomes)] == ["771", "772"]


def test_a_used_message_id_with_other_content_is_another_event() -> None:
    """The same row again is the same event; the same message id with other content is not."""
    outcomes = read(NAME, table(row(1), row(1), row(1, job="MASON")))
    ids = [each["event_id"] for each in events(outcomes)]

    assert ids[0] == ids[1] != ids[2]
