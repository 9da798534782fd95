"""Every record of the real files against a fixed table, `real_records.csv`, which was decided by reading the files.

The table is the oracle. Where it and the code disagree, read the file again before you touch either.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from connectors import find_source
from connectors.sources.base import RefusedRecord, SetAsideRecord, SourceContext, SourceRecord
from producers.publisher import DryPublisher
from tests.outcomes.country import Nation, agreements_of
from tests.outcomes.real_files import AGENCIES, DATA, Expected, missing, outcomes, read_table
from tidings.clock import StillClock
from tidings.decisions import Entry, ViewOutcome
from tidings.errors import Finding, Severity
from tidings.policy.model import Environment

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(bool(missing()), reason=f"the shared real data is absent: {', '.join(missing()) or DATA.name}"),
]


def codes(findings: tuple[Finding, ...], severity: Severity) -> tuple[str, ...]:
    """Findings of one severity as the table writes them."""
    return tuple(sorted(str(each) for each in findings if each.severity is severity))


def expected_of(file: str) -> list[Expected]:
    """The table's lines about a file."""
    return [each for each in read_table() if each.file == file]


def test_the_table_names_every_record_of_every_file() -> None:
    """No file of the folder is without lines, and each file's records are numbered from 1 without a gap."""
    folder = {str(path.relative_to(DATA)) for path in DATA.rglob("*") if path.is_file() and path.name != "README.md"}

    assert folder == set(AGENCIES) == {each.file for each in read_table()}
    for file in AGENCIES:
        assert [each.record for each in expected_of(file)] == list(range(1, len(expected_of(file)) + 1))
        assert len(list(outcomes(file))) == len(expected_of(file))


@pytest.mark.parametrize("file", AGENCIES)
def test_connector_and_publisher(file: str) -> None:
    """What the publisher is told before anything is sent: event or set aside, change, cleansed, refused for, flagged
    for."""
    publisher = DryPublisher(AGENCIES[file], Environment.SYNTHETIC, clock=StillClock())
    for said, expected in zip(outcomes(file), expected_of(file), strict=True):
        where = (file, expected.record)
        if expected.outcome == "set_aside":
            assert isinstance(said, SetAsideRecord), where
            assert said.number == expected.record
            continue
        assert isinstance(said, SourceRecord), where
        findings = publisher.check(said.event_type, said.event)
        assert (where, said.number, said.event["change"]) == (where, expected.record, expected.change)
        assert expected.key in (said.event["record_id"], "person", "child"), where
        assert (where, codes(findings, Severity.REJECT)) == (where, expected.rejected_for)
        assert (where, codes(findings, Severity.FLAG)) == (where, expected.flagged_for)
        assert (where, tuple(f"{each.field}:{each.rule}" for each in said.cleansed)) == (where, expected.cleansed)


@cache
def decided() -> tuple[Nation, dict[tuple[str, int], Entry]]:
    """All real files through the exchange in memory, whatever the publisher's own checks say; entries by record."""
    nation = Nation()
    places = {
        (file, said.number): nation.publish(said.event_type, said.event)
        for file in AGENCIES
        for said in outcomes(file)
        if isinstance(said, SourceRecord)
    }
    nation.settle()
    entries = nation.entries()
    assert len(entries) == len(places)
    return nation, {record: entries[place] for record, place in places.items()}


@pytest.mark.parametrize("file", AGENCIES)
def test_exchange(file: str) -> None:
    """What the exchange decides of each record: outcome, change, codes, and which agreements hear of it."""
    _, entries = decided()
    for expected in expected_of(file):
        where = (file, expected.record)
        if expected.outcome == "set_aside":
            assert where not in entries
            continue
        entry = entries[where]
        told = {kind: [each.agreement for each in entry.agreements if each.outcome is kind] for kind in ViewOutcome}
        assert (where, entry.outcome.value.lower(), entry.change) == (where, expected.outcome, expected.change)
        assert (where, codes(entry.findings, Severity.REJECT)) == (where, expected.rejected_for)
        assert (where, codes(entry.findings, Severity.FLAG)) == (where, expected.flagged_for)
        assert (where, tuple(agreements_of(told[ViewOutcome.DELIVERED]))) == (where, expected.delivered_to)
        assert (where, tuple(agreements_of(told[ViewOutcome.WITHDRAWN]))) == (where, expected.withdrawn_from)


def test_out_of_the_feeds_come_as_many_views_as_the_table_says() -> None:
    """The feeds hold what the decisions say and nothing else: counted by agreement, from the feeds themselves."""
    nation, _ = decided()
    counted = {view.agreement: 0 for view in nation.policy.views}
    for view in nation.policy.views:
        counted[view.agreement] += len(nation.log.all(view.feed))
    wanted = dict.fromkeys(counted, 0)
    for each in read_table():
        for agreement in each.delivered_to + each.withdrawn_from:
            wanted[agreement] += 1

    assert counted == wanted


def test_publishing_everything_again_delivers_nothing_again() -> None:
    """A second run of all files is known by its ids and bytes: duplicates, and not one view more."""
    nation = Nation()
    for _ in range(2):
        for file in AGENCIES:
            for said in outcomes(file):
                if isinstance(said, SourceRecord):
                    nation.publish(said.event_type, said.event)
        nation.settle()
    kinds = [entry.outcome.value for entry in nation.entries().values()]
    sent = sum(each.outcome != "set_aside" for each in read_table())
    told = sum(len(each.delivered_to + each.withdrawn_from) for each in read_table())

    assert kinds.count("DUPLICATE") == sent
    assert sum(len(nation.log.all(view.feed)) for view in nation.policy.views) == told


PERSONAL = re.compile(
    r'(?:family|given|line|postalCode) value="([^"]+)"|(?:GivenName|FamilyName|Line)[^>]*>([^<]+)<|([0-9]{10})'
)


def read_cut(file: str, content: bytes) -> list[RefusedRecord]:
    """The refusals of a part of a file."""
    source = find_source(file, b"", "gro-death-extract" if file.startswith("gro") else "nhs-events")
    said = source.read(io.BytesIO(content), SourceContext(file, AGENCIES[file], "SYNTHETIC", 0))
    return [each for each in said if isinstance(each, RefusedRecord)]


@pytest.mark.parametrize("file", [file for file in AGENCIES if file.endswith(".xml")])
def test_refusals_hold_no_value_of_the_real_files(file: str) -> None:
    """Cut anywhere, the files about people give refusals in which no name, address or number of theirs stands."""
    content = (DATA / file).read_bytes()
    values = {value for found in PERSONAL.findall(content.decode()) for value in found if len(value) > 2}
    assert len(values) > 3
    for cut in range(0, len(content), 499):
        refusals = read_cut(file, content[:cut])
        assert refusals
        assert not any(value in repr(each) for value in values for each in refusals)


def test_the_guide_quotes_the_table() -> None:
    """The guide of sources gives the table's own figures."""
    guide = (Path(__file__).resolve().parents[2] / "docs" / "guides" / "sources.md").read_text("utf-8")
    table = read_table()
    register = [each for each in table if each.file.endswith(".rsf")]
    changes = Counter(each.change for each in register)
    quoted = (
        f"{len(table)} records",
        f"{sum(each.outcome == 'set_aside' for each in register)} entries | set aside",
        f"{sum(each.outcome == 'delivered' for each in register)} entries | delivered",
        f"{changes['CREATED']} created",
        f"{changes['CHANGED']} changed",
        f"{sum('spreadsheet_date:start_date' in each.flagged_for for each in table)} rows | flagged",
        f"{sum(each.outcome == 'filtered' for each in table)} rows | filtered",
        f"all {sum(each.file.endswith('.tsv') for each in table)} rows",
    )

    assert [
        each for each in quoted if each.lower() not in guide.lower().replace("nine public files", "nine files")
    ] == []
