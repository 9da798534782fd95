"""What each kind of message means, end to end: copies of the real files, repaired here, through connector, exchange and
feeds of the example country."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import find_source
from connectors.sources.base import SourceContext, SourceRecord
from tests.outcomes.country import Nation
from tests.outcomes.real_files import AGENCIES, DATA, RECEIVED_AT_MS, missing
from tidings.decisions import Outcome

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(bool(missing()), reason=f"the shared real data is absent: {', '.join(missing()) or DATA.name}"),
]

DEATH = "nhs/PDS-Death-Notification-{}-ems-example.xml"
BIRTH, MOVE, EXTRACT = (
    "nhs/BirthNotificationWithMother.xml",
    "nhs/PDS-Change-Of-Address-ems-example.xml",
    "gro/death-extract.xml",
)
IN_HEADER, IN_DEATH, MOTHER = "9912003888", "6101231234", "1112223330"
WATCHED, OTHER, SECOND = "9990000018", "9990000050", "9990000069"
"""Nobody's NHS numbers; the first is on the public guardian's interest list."""


def copy(name: str, *repairs: tuple[str, str]) -> str:
    """A real file with each repair made; every repair must find its place."""
    text = (DATA / name).read_text("utf-8")
    for old, new in repairs:
        assert old in text, f"{name} no longer holds what is repaired"
        text = text.replace(old, new)
    return text


def records(name: str, text: str, received_at_ms: int = RECEIVED_AT_MS) -> list[SourceRecord]:
    """The events of a repaired copy, none of which may be refused."""
    content = text.encode()
    context = SourceContext(name, AGENCIES[name], "SYNTHETIC", received_at_ms)
    found = list(find_source(name, content[:4096]).read(io.BytesIO(content), context))
    assert all(isinstance(each, SourceRecord) for each in found), found
    return [each for each in found if isinstance(each, SourceRecord)]


def publish(nation: Nation, name: str, text: str, received_at_ms: int = RECEIVED_AT_MS) -> list[Outcome]:
    """Send a copy's events and let them be decided. Returns what became of each."""
    places = [nation.publish(each.event_type, each.event) for each in records(name, text, received_at_ms)]
    nation.settle()
    entries = nation.entries()
    return [entries[place].outcome for place in places]


def death(status: str, person: str = WATCHED) -> str:
    """A real death notification whose header and payload name one person with a sound number."""
    return copy(DEATH.format(status), (IN_HEADER, person), (IN_DEATH, person))


def seen(views: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some fields of each view."""
    return [tuple(view[name] for name in names) for view in views]


def test_a_formal_death_after_an_informal_one_and_its_removal() -> None:
    """The guardian hears of all three as one record; the pension office of the formal death and of its removal only."""
    nation = Nation()
    for status in ("informal", "formal", "removed"):
        assert publish(nation, DEATH.format(status), death(status)) == [Outcome.DELIVERED]

    guardian = nation.feed("deputyship-watch", "death-notified")
    pension = nation.feed("pension-stop", "death-notified")
    assert seen(guardian, "change", "status") == [
        ("CREATED", "INFORMAL"),
        ("CHANGED", "FORMAL"),
        ("ANNULLED", "REMOVED"),
    ]
    assert seen(pension, "kind", "change", "status") == [("LIVE", "CHANGED", "FORMAL"), ("LIVE", "ANNULLED", "REMOVED")]
    assert [len({view["record_id"] for view in views}) for views in (guardian, pension)] == [1, 1]
    assert guardian[0]["record_id"] != pension[0]["record_id"]


def test_a_removal_with_an_impossible_date_brings_back_all_the_same() -> None:
    """An annulment is judged by whom it names alone: a date of death that cannot be keeps nobody dead."""
    nation = Nation()
    text = death("removed")
    gender = '<gender value="male"/>'
    assert gender in text
    impossible = text.replace(gender, gender + '<deceasedDateTime value="2999-02-30T00:00:00+00:00"/>')

    assert publish(nation, DEATH.format("removed"), impossible) == [Outcome.DELIVERED]
    assert seen(nation.feed("pension-stop", "death-notified"), "change", "status") == [("ANNULLED", "REMOVED")]


@pytest.mark.parametrize("status", ["informal", "formal", "removed"])
def test_one_wrong_digit_in_either_name_refuses(status: str) -> None:
    """A sound header with another person's payload is refused, whichever of the two is wrong, and nobody hears."""
    nation = Nation()
    header, payload = (
        copy(DEATH.format(status), (IN_HEADER, OTHER), (IN_DEATH, WATCHED)),
        copy(DEATH.format(status), (IN_HEADER, WATCHED), (IN_DEATH, OTHER)),
    )
    outcomes = publish(nation, DEATH.format(status), header) + publish(nation, DEATH.format(status), payload)

    assert outcomes == [Outcome.REJECTED, Outcome.REJECTED]
    assert nation.feed("deputyship-watch", "death-notified") == nation.feed("pension-stop", "death-notified") == []


REASON = "<RecordUpdateReason>4</RecordUpdateReason>"
SECOND_RECORD = ("<RegistrationID>22664075</RegistrationID>", "<PartialYearOfBirth>2019</PartialYearOfBirth>")


def test_a_cancellation_and_its_reinstatement() -> None:
    """The real cancellation of registration 22664075, registered before and reinstated after, its birth year repaired:
    created, annulled, reinstated, one record to each who heard."""
    nation = Nation()
    repaired = (SECOND_RECORD[1], "<PartialYearOfBirth>1919</PartialYearOfBirth>")
    update = "<RecordUpdateDateTime>1974-04-11T12:03:43.000</RecordUpdateDateTime>"
    registered = copy(
        EXTRACT, repaired, (update + REASON, "<RecordLockedDateTime>2002-05-01T09:00:00.000</RecordLockedDateTime>")
    )
    cancelled = copy(EXTRACT, repaired, ("1974-04-11T12:03:43.000", "2026-04-11T12:03:43.000"))
    reinstated = copy(
        EXTRACT,
        repaired,
        ("1974-04-11T12:03:43.000", "2026-04-12T12:03:43.000"),
        (REASON, "<RecordUpdateReason>5</RecordUpdateReason>"),
    )
    outcomes = [publish(nation, EXTRACT, text)[1] for text in (registered, cancelled, reinstated)]

    assert outcomes == [Outcome.DELIVERED] * 3
    for agreement in ("bereavement-benefits", "passport-cancellation"):
        views = [view for view in nation.feed(agreement, "death-registered") if view["change"] != "CORRECTED"]
        mine = [view for view in views if view["record_id"] == views_of_the_second(views)]
        assert seen(mine, "kind", "change") == [("LIVE", "CREATED"), ("LIVE", "ANNULLED"), ("LIVE", "REINSTATED")]


def views_of_the_second(views: list[dict[str, Any]]) -> str:
    """The record that was annulled."""
    [found] = {str(view["record_id"]) for view in views if view["change"] == "ANNULLED"}
    return found


def baby(number: str, order: int) -> str:
    """The real birth, its mother's number repaired, as one of two."""
    return copy(
        BIRTH,
        (MOTHER, OTHER),
        (IN_HEADER, number),
        ('<multipleBirthInteger value="1"/>', f'<multipleBirthInteger value="{order}"/>'),
        ('<valueQuantity>\n\t\t\t\t\t<value value="1"/>', '<valueQuantity>\n\t\t\t\t\t<value value="2"/>'),
    )


def test_a_birth_with_twins() -> None:
    """Two messages under one id are two children of one delivery, joined in the feed; the country of birth is GB."""
    nation = Nation()
    outcomes = publish(nation, BIRTH, baby(WATCHED, 1)) + publish(nation, BIRTH, baby(SECOND, 2))
    views = nation.feed("vaccination-call", "birth-notified")

    assert outcomes == [Outcome.DELIVERED, Outcome.DELIVERED]
    assert sorted(view["subject"]["value"] for view in views) == [WATCHED, SECOND]
    assert len({view["life_event_id"] for view in views}) == 1
    assert len({view["record_id"] for view in views}) == 2
    assert None not in seen(views, "life_event_id")


CONFIDENTIAL = '<security><system value="http://hl7.org/fhir/v3/Confidentiality"/><code value="{}"/></security>'
PROFILE = '<profile value="https://fhir.hl7.org.uk/STU3/StructureDefinition/CareConnect-Patient-1"/>'


@pytest.mark.parametrize("label", ["R", "V"])
def test_a_protected_person_moves(label: str) -> None:
    """The council, which is told of no protected person, hears nothing, not even a withdrawal; the guardian, who may,
    hears all."""
    nation = Nation()
    moved = copy(MOVE, (IN_HEADER, WATCHED))
    protected = moved.replace(PROFILE, PROFILE + CONFIDENTIAL.format(label))
    assert protected != moved

    assert publish(nation, MOVE, protected) == [Outcome.DELIVERED]
    assert nation.feed("council-tax-moves", "address-changed") == []
    [view] = nation.feed("deputyship-watch", "address-changed")
    assert view["new_address"]["postcode"] == "LS17 7DF"
    assert publish(nation, MOVE, moved) == [Outcome.DELIVERED]
    assert len(nation.feed("council-tax-moves", "address-changed")) == 1


def test_a_move_out_of_the_district_is_withdrawn() -> None:
    """Whoever moves to where the council has no business is withdrawn from it: the record's derived id and no more. The
    event is delivered all the same: the journeys' office hears that there was one."""
    nation = Nation()
    away = copy(MOVE, ('<postalCode value="LS17 7DF"/>', '<postalCode value="ZE1 0AA"/>'))

    assert publish(nation, MOVE, copy(MOVE)) == [Outcome.DELIVERED]
    assert publish(nation, MOVE, away) == [Outcome.DELIVERED]
    told, bare = nation.feed("council-tax-moves", "address-changed")
    assert (told["kind"], bare["kind"]) == ("LIVE", "WITHDRAWN")
    assert told["record_id"] == bare["record_id"]
    assert bare["new_address"] is None
    assert bare["person"] is None or not any(bare["person"].values())


DURING_WINTER_MS = int(datetime(2026, 2, 2, 12, tzinfo=UTC).timestamp() * 1000)


def test_a_correction_that_leaves_a_filter_is_withdrawn() -> None:
    """Registered with a birth date verified 02 a death counts for the winter fuel payment; corrected to the real file's
    00 it does not: the payment office gets a bare withdrawal of the record that it holds."""
    nation = Nation(DURING_WINTER_MS)
    update = (
        "<RecordUpdateDateTime>1971-09-12T13:09:01.000</RecordUpdateDateTime><RecordUpdateReason>3</RecordUpdateReason>"
    )
    registered = copy(
        EXTRACT,
        (update, "<RecordLockedDateTime>2016-11-01T09:00:00.000</RecordLockedDateTime>"),
        (">00</wstxns7:VerificationLevel>", ">02</wstxns7:VerificationLevel>"),
    )
    corrected = copy(EXTRACT, ("1971-09-12T13:09:01.000", "2016-12-01T09:00:00.000"))
    publish(nation, EXTRACT, registered)
    publish(nation, EXTRACT, corrected)
    views = nation.feed("winter-fuel-2025", "death-registered")
    [bare] = [view for view in views if view["kind"] == "WITHDRAWN"]
    mine = [view for view in views if view["record_id"] == bare["record_id"]]

    assert seen(mine, "kind", "change") == [("LIVE", "CREATED"), ("WITHDRAWN", None)]
    assert (bare["deceased"], bare["occurred_on"]) == (None, None)


def test_a_message_id_used_again() -> None:
    """One id for another content is another event, delivered; the same content again is a duplicate; the same content
    taken in at another time is a used id with other bytes, refused."""
    nation = Nation()
    first = copy(MOVE, (IN_HEADER, WATCHED))
    second = first.replace('<line value="4 SANDMOOR DRIVE"/>', '<line value="5 SANDMOOR DRIVE"/>')

    assert publish(nation, MOVE, first) == [Outcome.DELIVERED]
    assert publish(nation, MOVE, second) == [Outcome.DELIVERED]
    assert publish(nation, MOVE, first) == [Outcome.DUPLICATE]
    assert publish(nation, MOVE, first, RECEIVED_AT_MS + 1) == [Outcome.REJECTED]
    assert len(nation.feed("council-tax-moves", "address-changed")) == 2
    [used] = [entry for entry in nation.entries().values() if entry.outcome is Outcome.REJECTED]
    assert [str(finding) for finding in used.findings if finding.severity == "reject"] == ["event_id_reused:event_id"]


def test_a_death_known_in_words_only() -> None:
    """A real registration whose date is words is delivered: a death without a day is a death all the same."""
    nation = Nation()
    dated = (
        '<DeceasedDeathDate><wstxns44:PersonDeathDate xmlns:wstxns44="http://www.govtalk.gov.uk/people/PersonDescriptives">'
        "1988-12-25</wstxns44:PersonDeathDate>"
        '<wstxns45:VerificationLevel xmlns:wstxns45="http://www.govtalk.gov.uk/people/PersonDescriptives">02'
        "</wstxns45:VerificationLevel></DeceasedDeathDate>"
    )
    text = copy(EXTRACT, (dated, "<FreeFormatDeathDate>in the winter of the great frost</FreeFormatDeathDate>"))

    assert publish(nation, EXTRACT, text)[2] is Outcome.DELIVERED
    newest = nation.feed("passport-cancellation", "death-registered")
    assert [view["occurred_on"] for view in newest if view["change"] == "CREATED"] == [None]
