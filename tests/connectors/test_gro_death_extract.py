"""The General Register Office's death extract: the real file's three records, and files that mean harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.sources.base import Outcome, RefusedRecord, SourceRecord
from tests.compliance.sources import extract, read, registration
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.checks import run

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "gro" / "death-extract.xml"
NAME = "gro-death-extract"
NOW_MS = 1_780_315_200_000
LAUGHS = "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"


def refusals(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    """Field and rule of each refusal."""
    return [(each.problem.field, each.problem.rule) for each in outcomes if isinstance(each, RefusedRecord)]


def events(outcomes: list[Outcome]) -> list[SourceRecord]:
    """The outcomes that are events."""
    return [each for each in outcomes if isinstance(each, SourceRecord)]


@pytest.mark.real_data
def test_the_real_file() -> None:
    """Of the three real records one is a correction recorded 45 years before the death, one a cancellation with
    impossible dates, one a plain registration: decided by reading the file. None is refused."""
    if not REAL.exists():
        pytest.skip(f"the shared real data is absent: {REAL.name}")
    checks = load_catalogue(default_catalogue_dir()).event_types["death-registered"].checks
    table = [
        (
            each.number,
            each.event["record_id"],
            each.event["change"],
            each.event["reason"],
            [f"{finding} {finding.severity}" for finding in run(checks, each.event, NOW_MS)],
        )
        for each in events(read(NAME, REAL.read_bytes()))
    ]

    assert table == [
        (1, "31989013", "CORRECTED", "typographical", ["date_order:recorded_at flag"]),
        (2, "22664075", "ANNULLED", "cancelled", ["date_order:recorded_at flag"]),
        (3, "25763120", "CREATED", None, []),
    ]


@pytest.mark.real_data
def test_the_real_file_field_by_field() -> None:
    """Aliases stay apart from their types, partial dates stay partial, and London's summer time is an hour ahead."""
    if not REAL.exists():
        pytest.skip(f"the shared real data is absent: {REAL.name}")
    first, second, third = (each.event for each in events(read(NAME, REAL.read_bytes())))

    assert (second["deceased"]["alias_types"], len(second["deceased"]["aliases"])) == (["formerly known as"], 4)
    assert (first["occurred_on"]["month"], first["occurred_on"]["day"]) == (10, None)
    assert first["deceased"]["date_of_birth"]["verification"] == "00"
    assert (second["occurred_on"]["text"], second["deceased"]["sex"]) == ("qualifiertext", "NOT_SPECIFIED")
    assert third["recorded_at"] == third["locked_at"] == 1_208_862_191_000  # 2008-04-22T11:03:11Z


@pytest.mark.parametrize(
    ("prolog", "rule"),
    [
        (LAUGHS, "dtd-forbidden"),
        ('<!DOCTYPE l SYSTEM "file:///etc/passwd">', "dtd-forbidden"),
        ('<!DOCTYPE l SYSTEM "http://127.0.0.1:9/x.dtd">', "dtd-forbidden"),
        ('<?xml version="1.0" encoding="no-such"?>', "encoding"),
        ('<?xml version="1.0" encoding="utf-16"?>', "malformed-xml"),
    ],
)
def test_hostile_prologs(prolog: str, rule: str) -> None:
    """A document type, with entities or from elsewhere, and a wrong encoding refuse the file before any record."""
    assert refusals(read(NAME, extract(registration(1), prolog=prolog))) == [("(document)", rule)]


@pytest.mark.parametrize(
    ("inner", "field", "rule"),
    [
        ("<DeceasedGender>2</DeceasedGender>", "DeceasedGender", "repeated-element"),
        ("<Script>x</Script>", "Script", "unknown-element"),
        ("<RecordUpdateReason>6</RecordUpdateReason>", "RecordUpdateReason", "unknown-code"),
        ("<RecordUpdateDateTime>2025-02-03T10:00:00</RecordUpdateDateTime>", "RecordUpdateReason", "required"),
        (
            "<RecordUpdateReason>1</RecordUpdateReason><RecordUpdateDateTime>yesterday</RecordUpdateDateTime>",
            "RecordUpdateDateTime",
            "date-time",
        ),
        ("<PartialMonthOfBirth>2</PartialMonthOfBirth>", "PartialYearOfBirth", "required"),
        ("<PartialYearOfBirth>19x0</PartialYearOfBirth>", "PartialYearOfBirth", "number"),
    ],
)
def test_a_bad_record_loses_nothing_else(inner: str, field: str, rule: str) -> None:
    """A refused record is named by file, line, field and rule, and its neighbours are events."""
    outcomes = read(NAME, extract(registration(1), registration(2, inner), registration(3)))

    assert refusals(outcomes) == [(f"DeathRegistration.{field}", rule)]
    assert [each.number for each in events(outcomes)] == [1, 3]
    assert "sample:1: " in str(next(each.problem for each in outcomes if isinstance(each, RefusedRecord)))


@pytest.mark.parametrize(
    ("inner", "left_out"),
    [
        ("<DeceasedGender>2</DeceasedGender>", "DeceasedGender"),
        ("<Script>x</Script>", "Script"),
        ("<PartialYearOfBirth>19x0</PartialYearOfBirth>", "PartialYearOfBirth"),
        ("<PartialMonthOfBirth>2</PartialMonthOfBirth>", "PartialYearOfBirth"),
        ("<DeceasedBirthDate><PersonBirthDate>x</PersonBirthDate></DeceasedBirthDate>",
         "DeceasedBirthDate.PersonBirthDate"),
    ],
)  # fmt: skip
def test_nothing_in_its_body_refuses_a_cancellation(inner: str, left_out: str) -> None:
    """What cannot be read is left out of a cancellation, visibly; what names the cancellation still refuses it."""
    cancels = (
        "<RecordUpdateReason>4</RecordUpdateReason><RecordUpdateDateTime>2025-03-01T10:00:00</RecordUpdateDateTime>"
    )
    outcomes = read(NAME, extract(registration(1, cancels + inner), registration(2, cancels * 2)))
    [cancelled] = events(outcomes)

    assert (cancelled.event["change"], cancelled.event["record_id"]) == ("ANNULLED", "1")
    assert [(each.field, each.rule) for each in cancelled.cleansed] == [(left_out, "not-in-annulment")]
    assert refusals(outcomes) == [("DeathRegistration.RecordUpdateReason", "repeated-element")]


def test_a_wrong_count_is_said() -> None:
    """A RecordCount that disagrees refuses the file as such; the records were read all the same."""
    outcomes = read(NAME, extract(registration(1), count=2))

    assert refusals(outcomes) == [("RecordCount", "record-count")]
    assert len(events(outcomes)) == 1


def test_an_undefined_entity_is_refused() -> None:
    """An entity that nobody defined ends the file there; what stood before it was read."""
    outcomes = read(NAME, extract(registration(1), registration(2, "<DeceasedMaidenName>&x;</DeceasedMaidenName>")))

    assert [rule for _, rule in refusals(outcomes)] == ["entities-forbidden"]
    assert len(events(outcomes)) == 1


def test_a_record_without_end_is_refused() -> None:
    """A record larger than the bound ends the file there, so that memory stays small."""
    endless = "<DeceasedAliasNameType>x</DeceasedAliasNameType>" * 200_000
    outcomes = read(NAME, extract(registration(1), registration(2, endless)))

    assert [rule for _, rule in refusals(outcomes)] == ["record-too-large"]
    assert len(events(outcomes)) == 1


def test_the_reasons_become_changes() -> None:
    """The five declared reasons are corrections, a cancellation and its removal."""
    update = (
        "<RecordUpdateDateTime>2025-02-03T10:00:00</RecordUpdateDateTime><RecordUpdateReason>{}</RecordUpdateReason>"
    )
    outcomes = read(NAME, extract(*(registration(code, update.format(code)) for code in range(1, 6))))

    assert [(each.event["change"], each.event["reason"]) for each in events(outcomes)] == [
        ("CORRECTED", "formal_correction"),
        ("CORRECTED", "quality_assurance"),
        ("CORRECTED", "typographical"),
        ("ANNULLED", "cancelled"),
        ("REINSTATED", "cancellation_removed"),
    ]


def test_what_the_format_repeats_and_spaces() -> None:
    """Several maiden names, aliases each with its kind, a name that is broken over lines, and words for a date: as the
    format's own edge cases have them."""
    inner = (
        "<DeceasedAliasName><PersonNameTitle>Dr</PersonNameTitle></DeceasedAliasName>"
        "<DeceasedAliasNameType>became a doctor</DeceasedAliasNameType>"
        "<DeceasedAliasName><PersonFamilyName>DE\n    BASTIANI\n  </PersonFamilyName></DeceasedAliasName>"
        "<DeceasedAliasNameType>otherwise</DeceasedAliasNameType>"
        "<DeceasedMaidenName>CLARK</DeceasedMaidenName><DeceasedMaidenName>PARTEN</DeceasedMaidenName>"
        "<FreeFormatBirthDate>about harvest</FreeFormatBirthDate>"
    )
    [record] = events(read(NAME, extract(registration(1, inner))))
    deceased = record.event["deceased"]

    assert deceased["maiden_names"] == ["CLARK", "PARTEN"]
    assert [(each["prefix"], each["family"]) for each in deceased["aliases"]] == [("Dr", None), (None, "DE BASTIANI")]
    assert deceased["alias_types"] == ["became a doctor", "otherwise"]
    assert deceased["date_of_birth_text"] == "about harvest"
    assert [(each.field, each.rule) for each in record.cleansed] == [("deceased.aliases.family", "white-space")]


def test_a_record_without_a_recording_time() -> None:
    """A registration that says neither when it was locked nor when updated is an event whose recording is unknown."""
    bare = registration(1).replace("<RecordLockedDateTime>2025-02-03T10:00:00.000</RecordLockedDateTime>", "")
    [record] = events(read(NAME, extract(bare)))

    assert (record.event["change"], record.event["recorded_at"], record.event["locked_at"]) == ("CREATED", None, None)


def test_an_extract_of_nobody() -> None:
    """A day on which nobody died is a file of no record, and no refusal."""
    assert read(NAME, extract()) == []
