"""The NHS event messages: what each kind becomes, and what refuses one of them and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sources.base import Outcome, RefusedRecord, SourceRecord
from tests.compliance import nhs_messages as nhs
from tests.compliance.sources import read
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.checks import run

NAME = "nhs-events"
NOW_MS = 1_780_315_200_000
CHECKS = {name: each.checks for name, each in load_catalogue(default_catalogue_dir()).event_types.items()}


def outcomes(*messages: str) -> list[Outcome]:
    """What the connector says of a collection of these messages."""
    return read(NAME, nhs.collection(*messages))


def events(*messages: str) -> list[dict[str, Any]]:
    """The events of these messages, none of which may be refused."""
    found = outcomes(*messages)
    assert all(isinstance(each, SourceRecord) for each in found), found
    return [each.event for each in found if isinstance(each, SourceRecord)]


def refusals(*messages: str) -> list[tuple[int, str, str]]:
    """Number, field and rule of each refusal."""
    return [(e.number, e.problem.field, e.problem.rule) for e in outcomes(*messages) if isinstance(e, RefusedRecord)]


def findings(event_type: str, event: dict[str, Any]) -> list[str]:
    """What the checks find, with severity."""
    return [f"{each} {each.severity}" for each in run(CHECKS[event_type], event, NOW_MS)]


def test_the_life_of_a_death_notification() -> None:
    """Informal is created, formal changes it, removed annuls it: one record, one message id, three event ids."""
    made = events(nhs.death(0), nhs.death(0, "2"), nhs.death(0, "U"))

    assert [(each["change"], each["reason"], each["status"]) for each in made] == [
        ("CREATED", None, "INFORMAL"),
        ("CHANGED", None, "FORMAL"),
        ("ANNULLED", "status_removed", "REMOVED"),
    ]
    assert {(each["record_id"], each["source"]["ref"]) for each in made} == {(nhs.NUMBERS[0], "m0")}
    assert len({each["event_id"] for each in made}) == 3
    assert [findings("death-notified", each) for each in made] == [[], [], []]


def test_a_routing_header_that_names_another_person() -> None:
    """The subject is the payload's; the header's number refuses the event, of a removal too; its date alone flags."""
    informal, removed = events(
        nhs.death(0, routed=nhs.routing(nhs.NUMBERS[1])), nhs.death(0, "U", routed=nhs.routing(nhs.NUMBERS[1]))
    )
    [dated] = events(nhs.death(0, routed=nhs.routing(nhs.NUMBERS[0], "1931-01-01")))

    assert informal["subject"]["value"] == removed["subject"]["value"] == nhs.NUMBERS[0]
    assert findings("death-notified", informal) == ["subject_mismatch:message.routed_to.subject reject"]
    assert findings("death-notified", removed) == ["subject_mismatch:message.routed_to.subject reject"]
    assert findings("death-notified", dated) == ["subject_mismatch:message.routed_to.date_of_birth flag"]


def test_twins_are_two_events_of_one_delivery() -> None:
    """In one message or in two, each child has an event of its own, and one life_event_id joins them."""
    together = events(nhs.birth(0, 1, births=2))
    first, second = nhs.birth(0, births=2), nhs.birth(1, births=2)
    apart = events(first, second.replace('multipleBirthInteger value="1"', 'multipleBirthInteger value="2"'))
    [alone] = events(nhs.birth(0))

    assert [(each["subject"]["value"], each["birth_order"]) for each in together] == [
        (nhs.NUMBERS[0], 1),
        (nhs.NUMBERS[1], 2),
    ]
    assert len({each["life_event_id"] for each in [*together, *apart]}) == 1
    assert together[0]["life_event_id"] is not None
    assert alone["life_event_id"] is None
    assert [findings("birth-notified", each) for each in [*together, *apart]] == [[]] * 4


def test_a_birth_without_its_mothers_details() -> None:
    """A birth whose mother has no number and whose header routes to nobody is an event all the same."""
    message = nhs.birth(0).replace(nhs.number(nhs.NUMBERS[4]), "").replace(nhs.routing(nhs.NUMBERS[4]), "")
    [made] = events(message)

    assert (made["related"][0]["role"], made["related"][0]["subject"]) == ("mother", None)
    assert made["message"]["routed_to"] is None
    assert findings("birth-notified", made) == []


@pytest.mark.parametrize(
    ("security", "expected"),
    [("N", "NONE"), ("R", "LOCATION"), ("V", "FULL"), ("X", None)],
)
def test_security_labels_protect(security: str, expected: str | None) -> None:
    """Restricted hides the address, very restricted everything; a label that nobody declared refuses the message."""
    system = nhs.primitive("system", "http://hl7.org/fhir/v3/Confidentiality")
    label = nhs.element("security", system, nhs.primitive("code", security))
    message = nhs.death(0).replace(
        "<Patient>" + nhs.primitive("id", "p"), "<Patient>" + nhs.primitive("id", "p") + nhs.element("meta", label)
    )

    if expected is None:
        assert refusals(message) == [(1, "meta.security", "unknown-code")]
    else:
        assert [each["protection"] for each in events(message)] == [expected]


@pytest.mark.parametrize(
    ("country", "becomes", "cleansed"),
    [("ENGLAND", "GB", True), ("Northern Ireland", "GB", True), ("GB", "GB", False), ("ATLANTIS", "ATLANTIS", False)],
)
def test_countries_are_cleansed_by_a_declared_rule(country: str, becomes: str, *, cleansed: bool) -> None:
    """A part of the kingdom becomes GB and the publisher sees it; one outside the register stays, flagged."""
    [made] = [each for each in outcomes(nhs.move(0, country)) if isinstance(each, SourceRecord)]

    assert made.event["new_address"]["country"] == becomes
    assert [(each.field, each.rule) for each in made.cleansed] == (
        [("new_address.country", "country-of-the-kingdom")] if cleansed else []
    )
    flagged = ["code_unknown:new_address.country flag"] if country == "ATLANTIS" else []
    assert findings("address-changed", made.event) == flagged


def test_a_printed_nhs_number_is_the_same_number() -> None:
    """Spaces in an NHS number are taken out, in the subject and wherever else it stands, and the publisher sees it."""
    spaced = nhs.death(0).replace(nhs.number(nhs.NUMBERS[0]), nhs.number("999 000 0018"))
    [made] = [each for each in outcomes(spaced) if isinstance(each, SourceRecord)]

    assert made.event["subject"]["value"] == made.event["record_id"] == nhs.NUMBERS[0]
    assert [(each.field, each.rule) for each in made.cleansed] == [
        ("subject.value", "nhs-number-spaces"),
        ("identifiers.value", "nhs-number-spaces"),
    ]
    assert findings("death-notified", made.event) == []


def test_a_message_of_its_own() -> None:
    """A file that is one message gives what the same message gives in a collection, byte for byte."""
    alone = nhs.death(0).replace("<Bundle>", f'<Bundle xmlns="{nhs.FHIR}">', 1).encode()

    assert [e.event for e in read(NAME, alone) if isinstance(e, SourceRecord)] == events(nhs.death(0))


PATIENT = "<Patient>" + nhs.primitive("id", "p")


@pytest.mark.parametrize(
    ("old", "new", "field", "rule"),
    [
        ("pds-death-notification-1", "pds-lottery-1", "MessageHeader.event", "event-unknown"),
        ('value="new"', 'value="maybe"', "MessageHeader.messageEventType", "unknown-code"),
        ('value="completed"', 'value="entered-in-error"', "Communication.status", "not-completed"),
        (nhs.number(nhs.NUMBERS[0]), "", "Patient.identifier", "subject-unclear"),
        (nhs.number(nhs.NUMBERS[0]), nhs.number("1") + nhs.number("2"), "Patient.identifier", "subject-unclear"),
        (nhs.primitive("reference", "urn:uuid:p"), nhs.primitive("reference", "urn:uuid:q"), "Communication.subject",
         "reference-unresolved"),
        (nhs.primitive("fullUrl", "urn:uuid:p"), nhs.primitive("fullUrl", "urn:uuid:c"), "entry.fullUrl",
         "repeated-resource"),
        (PATIENT, PATIENT + nhs.element("modifierExtension"), "modifierExtension", "changes-meaning"),
        (PATIENT, PATIENT + nhs.primitive("implicitRules", "x"), "implicitRules", "changes-meaning"),
        (PATIENT, PATIENT + nhs.primitive("active", "false"), "Patient.active", "inactive"),
        ("2026-03-14T15:00:00+00:00", "2026-03-14T15:00:00", "Patient.deceasedDateTime", "date-time"),
        ('lastUpdated value="2026-03-16T09:30:00+00:00"', 'lastUpdated value="2026-02-30T09:30:00Z"',
         "MessageHeader.meta.lastUpdated", "date-time"),
        (nhs.primitive("birthDate", "1951-07-30"), nhs.primitive("birthDate", "1951-07-30") * 2, "birthDate",
         "repeated-element"),
        ("<MessageHeader>", "<Basic>", "Bundle.entry", "message-header"),
    ],
)  # fmt: skip
def test_a_bad_message_loses_nothing_else(old: str, new: str, field: str, rule: str) -> None:
    """A refused message is named by number, field and rule, and its neighbours are events."""
    bad = (
        nhs.death(0)
        .replace(old, new)
        .replace("</MessageHeader>", "</Basic>" if "<Basic>" in new else "</MessageHeader>")
    )
    found = outcomes(nhs.move(1), bad, nhs.move(2))

    assert [(e.number, e.problem.field, e.problem.rule) for e in found if isinstance(e, RefusedRecord)] == [
        (2, field, rule)
    ]
    assert [each.number for each in found if isinstance(each, SourceRecord)] == [1, 3]


@pytest.mark.parametrize(
    ("content", "field", "rule"),
    [
        (f'<Bundle xmlns="{nhs.FHIR}"><type value="batch"/></Bundle>', "Bundle.type", "bundle-type"),
        (f'<Bundle xmlns="{nhs.FHIR}"><entry/></Bundle>', "Bundle.type", "bundle-type"),
        (f'<Bundle xmlns="{nhs.FHIR}"/>', "Bundle.type", "bundle-type"),
        (f'<Bundle xmlns="{nhs.FHIR}"><type value="message"/><odd/></Bundle>', "Bundle", "unknown-element"),
        (f'<Patient xmlns="{nhs.FHIR}"/>', "(document)", "root-element"),
    ],
)
def test_other_bundles_are_refused_whole(content: str, field: str, rule: str) -> None:
    """A Bundle that is neither a message nor a collection is no event."""
    assert [
        (e.problem.field, e.problem.rule) for e in read(NAME, content.encode()) if isinstance(e, RefusedRecord)
    ] == [(field, rule)]


def test_an_entry_that_is_no_message() -> None:
    """What stands in a collection and is no message is refused by itself."""
    content = nhs.collection("<Patient/>", nhs.death(0))
    found = read(NAME, content)

    assert [type(each).__name__ for each in found] == ["RefusedRecord", "SourceRecord"]


@pytest.mark.parametrize(
    ("inner", "left_out"),
    [
        ('<gender value="x"/>', "Patient.gender"),
        ('<birthDate value="soon"/>', "birthDate"),
        ('<name><use value="zz"/></name>', "name.use"),
    ],
)
def test_nothing_in_its_body_refuses_a_removal(inner: str, left_out: str) -> None:
    """A removal whose patient cannot be read is an annulment without a body, visibly; a notification is refused. The
    envelope stays, so that a removal under another person's name is still known."""
    wrong = nhs.routing(nhs.NUMBERS[1])
    removed, misled, refused = outcomes(
        nhs.death(0, "U", inner=inner), nhs.death(0, "U", inner=inner, routed=wrong), nhs.death(0, inner=inner)
    )
    assert isinstance(removed, SourceRecord)
    assert isinstance(misled, SourceRecord)

    assert (removed.event["change"], removed.event["status"], removed.event["person"]) == ("ANNULLED", "REMOVED", None)
    assert [(each.field, each.rule) for each in removed.cleansed] == [(left_out, "not-in-annulment")]
    assert findings("death-notified", removed.event) == []
    assert findings("death-notified", misled.event) == ["subject_mismatch:message.routed_to.subject reject"]
    assert isinstance(refused, RefusedRecord)
