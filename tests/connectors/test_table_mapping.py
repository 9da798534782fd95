"""Mapping files of tables: everything wrong with one is said at once, with file, line, field and rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import find_source
from connectors.sources._table_dates import DateFormat
from connectors.sources._table_mapping import load_mapping
from tests.compliance.sources import MAPPING
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.errors import BadInput

CATALOGUE = load_catalogue(default_catalogue_dir())
GOOD = MAPPING.read_text("utf-8")
EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))


def problems(tmp_path: Path, old: str, new: str) -> list[tuple[int, str, str]]:
    """Line, field and rule of what is wrong with the suite's mapping once `old` reads `new`."""
    assert old in GOOD
    path = tmp_path / "mapping.yaml"
    path.write_text(GOOD.replace(old, new, 1), "utf-8")
    with pytest.raises(BadInput) as refused:
        load_mapping(path, CATALOGUE)
    assert {each.file for each in refused.value.problems} == {str(path)}
    return [(each.line, each.field, each.rule) for each in refused.value.problems]


def line_of(text: str) -> int:
    """The line of the suite's mapping on which a text stands first."""
    return next(number for number, line in enumerate(GOOD.splitlines(), 1) if text in line)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_fits_its_event_type(path: Path) -> None:
    """The mappings under examples/ load."""
    assert load_mapping(path, CATALOGUE).body


@pytest.mark.parametrize(
    ("old", "new", "field", "rule"),
    [
        ("table: deaths", "table: Deaths", "table", "bad-id"),
        ("version: 1", "version: 0", "version", "bad-value"),
        ("version: 1", "version: one", "version", "wrong-type"),
        ("version: 1", "version: 1\nauthor: me", "author", "unknown-key"),
        ("event_type: death-registered", "event_type: death-registred", "event_type", "unknown-event-type"),
        ("  encoding: utf-8", "  encoding: utf-7", "file.encoding", "bad-value"),
        ("  encoding: utf-8\n", "", "file.encoding", "required"),
        ("  delimiter: comma", "  delimiter: a", "file.delimiter", "bad-value"),
        ("  delimiter: comma", "  delimiter: '||'", "file.delimiter", "bad-value"),
        ("  time_zone: Europe/London", "  time_zone: Europe/Londinium", "file.time_zone", "bad-value"),
        ("columns: [row, kind", "columns: [row, row, kind", "file", "bad-value"),
        ("columns: [row, kind", "columns: [row, new, kind", "file.columns[1]", "unused-column"),
        ("message_id: [row]", "message_id: [rwo]", "message_id", "unknown-column"),
        ("  - {name: nhs-spaces, columns: [nhs], remove", "  - {name: nhs-spaces, columns: [nsh], remove",
         "cleansing[1].columns", "unknown-column"),
        ("columns: [nhs], remove: \" \"", "columns: [nhs], remove: \" \", trim: true", "cleansing[1]", "bad-value"),
        ("  - {kind: total, column: kind", "  - {kind: total, column: kin", "set_aside[0].column", "unknown-column"),
        ("  clerk: who", "  clark: who", "ignore.clark", "unknown-column"),
        ("  clerk: who", "  job: who", "ignore.job", "ignored-and-used"),
        ("  record_id: id\n", "  record_id: idd\n", "fields.record_id", "unknown-column"),
        ("  record_id: id\n", "", "fields", "required-field"),
        ("  record_id: id\n", "  record_id: {column: id, constant: x}\n", "fields.record_id", "bad-value"),
        ("  record_id: id\n", "  record_id: {column: id, colour: x}\n", "fields.record_id.colour", "unknown-key"),
        ("  record_id: id\n", "  record_id: id\n  source.ref: id\n", "fields[source.ref]", "derived-field"),
        ("  record_id: id\n", "  record_id: id\n  event_id: id\n", "fields.event_id", "derived-field"),
        ("  record_id: id\n", "  record_id: {column: id, split: x}\n", "fields.record_id.split", "not-a-list"),
        ("  record_id: id\n", "  record_id: {column: id, scheme: x}\n", "fields.record_id.scheme", "not-an-identifier"),
        ("  record_id: id\n", "  record_id: {column: id, format: '%Y'}\n", "fields.record_id.format", "not-a-date"),
        ("  record_id: id\n", "  record_id: {column: id, zeros: unknown}\n", "fields.record_id", "bad-value"),
        ("  record_id: id\n", "  record_id: {columns: [id, row]}\n", "fields.record_id.columns", "not-a-list"),
        ("  record_id: id\n", "  record_id: {uuid_of: [id]}\n", "fields.record_id.uuid_of", "not-a-uuid"),
        ("  deceased.occupation: job", "  deceased.ocupation: job", "fields[deceased.ocupation]", "unknown-field"),
        ("  deceased.occupation: job", "  deceased: job", "fields.deceased", "record"),
        ("  deceased.occupation: job", "  deceased.date_of_birth_text.x: job",
         "fields[deceased.date_of_birth_text.x]", "unknown-field"),
        ("  deceased.occupation: job", "  deceased..occupation: job", "fields[deceased..occupation]", "field-path"),
        ("  deceased.occupation: job", "  deceased.occupation[0]: job", "fields[deceased.occupation[0]]", "not-a-list"),
        ("  deceased.names[0].family: surname", "  deceased.names.family: surname",
         "fields[deceased.names.family]", "index"),
        ("  deceased.names[0].family: surname", "  deceased.names[2].family: surname",
         "fields[deceased.names[0].use]", "index-gap"),
        ("  deceased.names[0].family: surname", "  deceased.names: surname", "fields[deceased.names]", "list"),
        ("  deceased.names[0].use: {constant: OFFICIAL}", "  deceased.names[0].use: {constant: REAL}",
         "fields[deceased.names[0].use].constant", "constant-type"),
        ("  deceased.names[0].use: {constant: OFFICIAL}\n", "", "fields[deceased.names[0].given]", "required-field"),
        ("M: MALE", "M: MAN", "fields[deceased.sex].codes", "constant-type"),
        ('format: "%-d/%-m/%Y"', 'format: "%d/%m/%y"', "fields[deceased.date_of_birth].format[0]", "bad-value"),
        ('{column: born, format: "%-d/%-m/%Y"}', "born", "fields[deceased.date_of_birth]", "needs-format"),
        ('{column: locked, format: "%d/%m/%Y %H:%M"}', "locked", "fields.recorded_at", "needs-format"),
        ('{column: locked, format: "%d/%m/%Y %H:%M"}', '{column: locked, format: "%Y"}',
         "fields.recorded_at.format", "instant"),
        ("{column: id, scheme: gro_registration}", "id", "fields.subject", "needs-scheme"),
        ("  occurred_on.text: note", "  occurred_on.year: note", "fields.occurred_on", "said-twice"),
        ("codes: {Y: true, N: false}", "codes: {Y: yes}", "fields[identifiers[0].verified].codes", "constant-type"),
        ("{column: checked, codes: {Y: true, N: false}}", "checked", "fields[identifiers[0].verified]", "needs-codes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(old: str, new: str, field: str, rule: str, tmp_path: Path) -> None:
    """Each mistake is told at its line by field and rule."""
    found = problems(tmp_path, old, new)

    assert (field, rule) in [(each[1], each[2]) for each in found]
    assert all(each[0] for each in found)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Two wrong lines are two problems, each at its own line."""
    old = "  deceased.occupation: job\n  usual_residence.use: {constant: HOME}\n"
    found = problems(tmp_path, old, "  deceased.occupation: jop\n  usual_residence.use: {constant: HOMES}\n")
    at = line_of("deceased.occupation")

    assert (at, "fields[deceased.occupation]", "unknown-column") in found
    assert (at + 1, "fields[usual_residence.use].constant", "constant-type") in found


def test_protection_is_never_a_default(tmp_path: Path) -> None:
    """A mapping that does not say who is protected is refused: nobody is unprotected by omission."""
    found = problems(tmp_path, '  protection: {column: shielded, codes: {"": NONE, A: LOCATION, S: FULL}}\n', "")

    assert (line_of("fields:"), "fields", "required-field") in found


@pytest.mark.parametrize("path", [Path("/dev/zero"), Path(__file__).parent], ids=["device", "folder"])
def test_a_mapping_is_a_file(path: Path) -> None:
    """A device without end and a folder are refused, and nothing of them is read."""
    with pytest.raises(BadInput, match="not-a-file"):
        load_mapping(path, CATALOGUE)


def test_a_table_needs_its_mapping_and_no_other_source_takes_one() -> None:
    """The extension alone does not say what columns mean; a mapping is refused where nothing would read it."""
    with pytest.raises(BadInput, match="mapping-missing"):
        find_source("x.csv", b"a,b\n")
    with pytest.raises(BadInput, match="mapping-unused"):
        find_source("x.xml", b"", "gro-death-extract", MAPPING)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("%Y%m%d", "20250731", (2025, 7, 31, None, None)),
        ("%d-%b-%Y", "31-jul-2025", (2025, 7, 31, None, None)),
        ("%B %Y", "July 2025", (2025, 7, None, None, None)),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2025-07-31T09:05:01.250Z", (2025, 7, 31, "09:05:01.250", "Z")),
        ("%-d.%-m.%Y %-H:%M", "1.7.2025 9:05", (2025, 7, 1, "09:05", "Europe/London")),
        ("%Y (100%%)", "2025 (100%)", (2025, None, None, None, None)),
        ("%d/%m/%Y", "1/7/2025", None),
        ("%Y", "2025 ", None),
        ("%Y", "٢٠٢٥", None),
    ],
)
def test_formats(text: str, value: str, expected: tuple[object, ...] | None) -> None:
    """A format takes what it says and nothing like it."""
    found = DateFormat(text).partial(value, "Europe/London", zeros_unknown=False)

    assert (found and tuple(found[part] for part in ("year", "month", "day", "time", "zone"))) == expected


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("%Y-%m-%d", "2025-07-01", 1_751_324_400_000),  # midnight in London is 23:00 UTC the day before
        ("%Y-%m-%d %H:%M%z", "2025-07-01 00:00+02:00", 1_751_320_800_000),
        ("%Y-%m-%d %H:%M", "2025-10-26 01:30", 1_761_438_600_000),  # comes twice: the first, 00:30 UTC
        ("%Y-%m-%d %H:%M", "2025-03-30 01:30", None),  # left out
        ("%Y-%m-%d", "2025-02-29", None),
        ("%Y-%m-%d %H:%M", "2025-02-28 24:00", None),
        ("%Y-%m-%d %H:%M%z", "0001-01-01 00:00+14:00", None),
        ("%Y-%m-%d %H:%M%z", "2025-01-01 00:00+99:99", None),
        ("%Y-%m-%d %H:%M%z", "9999-12-31 23:59-23:59", None),
    ],
)
def test_instants(text: str, value: str, expected: int | None) -> None:
    """A moment in the declared zone or at its own offset; one that does not exist is none."""
    assert DateFormat(text).instant_ms(value, "Europe/London") == expected


@pytest.mark.parametrize("text", ["%d/%m", "%Y %Y", "%m%b%Y", "%Y-%d", "%Y %H", "%Y%m%d%H%M%f", "%y", "%Y%", "%-Y", ""])
def test_no_formats(text: str) -> None:
    """A format without a century, with a part twice or with a gap is refused when it is loaded."""
    with pytest.raises(ValueError, match="format"):
        DateFormat(text)
