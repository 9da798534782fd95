"""The NHS event messages: what each kind becomes, and what refuses one of them and nothing else."""

from __future__ import annotations

from pathlib import Path
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


def test_what_the_format_allows_and_few_messages_have() -> None:
    """A name that is not split, an old number beside the new one, how far it is verified, a death without a date."""
    split = nhs.primitive("family", nhs.NAME) + nhs.primitive("given", nhs.NAME)
    status = nhs.extension(
        f"{nhs.CARE}NHSNumberVerificationStatus-1", nhs.concept("valueCodeableConcept", "02", nhs.VERIFICATION)
    )
    verified = nhs.number(nhs.NUMBERS[0]).replace("<identifier>", f"<identifier>{status}")
    message = (
        nhs.death(0)
        .replace(split, nhs.primitive("text", "Ada of the Hill"))
        .replace(nhs.number(nhs.NUMBERS[0]), nhs.number(nhs.NUMBERS[1], "old") + verified)
        .replace(
            nhs.primitive("deceasedDateTime", "2026-03-14T15:00:00+00:00"), nhs.primitive("deceasedBoolean", "true")
        )
    )
    [made] = events(message)

    assert [(name["given"], name["family"]) for name in made["person"]["names"]] == [([], "Ada of the Hill")]
    assert made["subject"]["value"] == nhs.NUMBERS[0]
    assert [(each["value"], each["verified"]) for each in made["identifiers"]] == [
        (nhs.NUMBERS[1], None),
        (nhs.NUMBERS[0], False),
    ]
    assert findings("death-notified", made) == ["required_missing:occurred_on reject"]


def practice(new: str, old: str, start: str = "2017-10-09", end: str = "2026-03-13") -> str:
    """A change of practice; either may be empty."""
    period = nhs.element("period", nhs.primitive("start", start), nhs.primitive("end", end))
    role = nhs.concept("type", "1", "https://fhir.nhs.uk/STU3/CodeSystem/EMS-PDS-PatientCareProvisionType-1")
    managed = nhs.reference("managingOrganization", "old")
    code = nhs.element("identifier", nhs.primitive("system", "https://fhir.nhs.uk/Id/ods-organization-code"), "{}")
    organisation = nhs.entry(
        "EpisodeOfCare", "e", nhs.primitive("status", "finished") + role + managed + period
    ) + nhs.entry("Organization", "old", code.format(nhs.primitive("value", old)))
    directory = nhs.primitive("reference", f"https://directory.spineservices.nhs.uk/STU3/Organization/{new}")
    return nhs.bundle(
        nhs.header("pds-change-of-gp-1", "c", "m", nhs.routing(nhs.NUMBERS[0])),
        nhs.communication("c", "p"),
        nhs.patient("p", nhs.NUMBERS[0], nhs.element("generalPractitioner", directory) if new else ""),
        organisation if old else "",
        root=False,
    )


def test_a_change_of_practice() -> None:
    """From one to another, to none (the registration has ended), and an old period that contradicts itself."""
    moved, first, left = events(practice("Y99999", "Y99998"), practice("Y99999", ""), practice("", "Y99998"))
    [wrong] = events(practice("Y99999", "Y99998", "2026-03-13", "2017-10-09"))

    assert [each["change"] for each in (moved, first, left)] == ["CHANGED", "CHANGED", "ENDED"]
    assert (moved["new_practice"]["value"], moved["previous_practice"]["value"]) == ("Y99999", "Y99998")
    assert (first["previous_practice"], left["new_practice"]) == (None, None)
    assert (moved["occurred_on"]["day"], moved["occurred_on"]["time"]) == (16, None)
    assert [findings("gp-registration-changed", each) for each in (moved, first, left)] == [[], [], []]
    assert findings("gp-registration-changed", wrong) == ["date_order:previous_practice.period.end flag"]


def test_who_changed_a_record() -> None:
    """An organisation by its address in the directory, or the patient, who is named by the role alone."""

    def message(who: str) -> str:
        agent = nhs.element("agent", nhs.element("whoReference", nhs.primitive("reference", who)))
        return nhs.bundle(
            nhs.header("pds-record-change-1", "p", "m", nhs.routing(nhs.NUMBERS[0])),
            nhs.patient("p", nhs.NUMBERS[0]),
            nhs.entry("Provenance", "v", nhs.primitive("recorded", "2026-03-16T09:00:00+00:00") + agent),
            root=False,
        )

    by_office, by_patient = events(message("https://example.org/STU3/Organization/X26"), message("urn:uuid:p"))

    assert (by_office["changed_by"]["role"], by_office["changed_by"]["value"]) == ("changed_by", "X26")
    assert (by_patient["changed_by"]["role"], by_patient["changed_by"]["value"]) == ("patient", None)
    assert [findings("record-changed", each) for each in (by_office, by_patient)] == [[], []]


def observed(code: str, quantity: str, status: str = "final", about: str = "p0") -> str:
    """An observation about the first child."""
    inner = nhs.primitive("status", status) + nhs.concept("code", code, "http://snomed.info/sct")
    return nhs.entry("Observation", f"o{code}", inner + nhs.reference("subject", about) + quantity)


def quantity(value: object, unit: str, system: str = "http://unitsofmeasure.org") -> str:
    """A valueQuantity."""
    coded = nhs.primitive("system", system) + nhs.primitive("code", unit)
    return nhs.element("valueQuantity", nhs.primitive("value", value), coded)


@pytest.mark.parametrize(
    ("observation", "field", "becomes"),
    [
        (observed("364589006", quantity(3980, "g")), "birth_weight_grams", 3980),
        (observed("412726003", quantity("38.5", "wk")), "gestation_weeks", 38.5),
        (observed("237364002", nhs.concept("valueCodeableConcept", "3", nhs.STILLBORN)), "stillbirth", True),
        (
            observed("1097291000000101", nhs.concept("valueCodeableConcept", "U", nhs.ANOMALY)),
            "congenital_anomaly_suspected",
            None,
        ),
        (observed("364589006", quantity(3980, "g"), about="p9"), "birth_weight_grams", None),
    ],
)
def test_observations(observation: str, field: str, becomes: object) -> None:
    """What was observed of the child stands in its field, and of nobody else."""
    [made] = events(nhs.birth(0, more=observation))

    assert made[field] == becomes


@pytest.mark.parametrize(
    ("observation", "field", "rule"),
    [
        (observed("364589006", quantity("3.98", "kg")), "Observation.valueQuantity", "unit"),
        (observed("364589006", quantity(3980, "g", "urn:x")), "Observation.valueQuantity", "unit"),
        (observed("364589006", quantity("3980.5", "g")), "Observation.birthWeight", "number"),
        (observed("364589006", quantity("-1", "g")), "Observation.birthWeight", "number"),
        (observed("364589006", quantity("1", "g"), "cancelled"), "Observation.status", "not-final"),
        (
            observed("237364002", nhs.concept("valueCodeableConcept", "5", nhs.STILLBORN)),
            "Observation.stillbirth",
            "unknown-code",
        ),
    ],
)
def test_observations_that_cannot_be_taken(observation: str, field: str, rule: str) -> None:
    """A unit, number, status or code outside the tables refuses the birth: nothing is converted or dropped."""
    assert refusals(nhs.birth(0, more=observation)) == [(1, field, rule)]


OTHER = f"{nhs.SYSTEM}Other-1"
CARE_CONNECT = "https://fhir.hl7.org.uk/STU3/"


@pytest.mark.parametrize(
    ("code", "field"),
    [
        (nhs.concept("valueCodeableConcept", "new", f"{nhs.SYSTEM}MessageEventType-1"),
         "MessageHeader.messageEventType"),
        (nhs.concept("valueCodeableConcept", "2", nhs.DEATH_STATUS), "Patient.deathNotificationStatus"),
    ],
)  # fmt: skip
def test_a_code_counts_in_its_own_code_system_alone(code: str, field: str) -> None:
    """The code of another system, or of none, refuses the message: its 2 may mean anything but a formal death. Beside
    one of the right system it is passed over, wherever it stands; two of the right one contradict each other."""
    sound = nhs.death(0, "2")
    [coded] = events(sound)
    coding = code.removeprefix("<valueCodeableConcept>").removesuffix("</valueCodeableConcept>")
    foreign = "<coding>" + nhs.primitive("system", OTHER) + nhs.primitive("code", "U") + "</coding>"
    nobody = "<coding>" + nhs.primitive("code", "2") + "</coding>"
    contrary = coding.replace('code value="2"', 'code value="U"').replace('code value="new"', 'code value="delete"')

    assert refusals(sound.replace(coding, coding.replace(coding.split('"')[1], OTHER))) == [(1, field, "code-system")]
    assert refusals(sound.replace(coding, nobody)) == [(1, field, "code-system")]
    for beside in (foreign + coding, coding + foreign, coding + coding):
        [made] = events(sound.replace(coding, beside))
        assert (made["status"], made["change"]) == (coded["status"], coded["change"]) == ("FORMAL", "CHANGED")
    assert refusals(sound.replace(coding, coding + contrary)) == [(1, field, "repeated-element")]


@pytest.mark.parametrize("system", [f"{CARE_CONNECT}CodeSystem/CareConnect-DeathNotificationStatus-1",
                                    f"{CARE_CONNECT}CareConnect-DeathNotificationStatus-1"])  # fmt: skip
def test_both_spellings_of_a_careconnect_system(system: str) -> None:
    """CareConnect's own examples write them with and without CodeSystem: both are the same system."""
    [made] = events(nhs.death(0, "2").replace(nhs.DEATH_STATUS, system))

    assert made["status"] == "FORMAL"


@pytest.mark.parametrize(
    ("observation", "field"),
    [
        (observed("237364002", nhs.concept("valueCodeableConcept", "2", OTHER)), "Observation.stillbirth"),
        (observed("1097291000000101", nhs.concept("valueCodeableConcept", "Y", OTHER)),
         "Observation.suspectedCongenitalAbnormality"),
    ],
)  # fmt: skip
def test_an_observation_coded_in_another_system_is_refused(observation: str, field: str) -> None:
    """No child is stillborn by the code of another table."""
    assert refusals(nhs.birth(0, more=observation)) == [(1, field, "code-system")]


def test_details_coded_in_another_system() -> None:
    """How far a number is verified and the ethnic category refuse; an organisation's type of another system is not
    taken, since an organisation may have several."""
    status = nhs.extension(f"{nhs.CARE}NHSNumberVerificationStatus-1", nhs.concept("valueCodeableConcept", "01", OTHER))
    verified = nhs.number(nhs.NUMBERS[0]).replace("<identifier>", f"<identifier>{status}")
    ethnic = nhs.extension(f"{nhs.CARE}EthnicCategory-1", nhs.concept("valueCodeableConcept", "A", OTHER))
    first_born = nhs.number(nhs.NUMBERS[0])

    assert refusals(nhs.death(0).replace(nhs.number(nhs.NUMBERS[0]), verified)) == [
        (1, "Patient.identifier.nhsNumberVerificationStatus", "code-system")
    ]
    assert refusals(nhs.birth(0).replace(first_born, ethnic + first_born)) == [
        (1, "Patient.ethnicCategory", "code-system")
    ]
    for system, taken in ((f"{nhs.SYSTEM}EMS-PDS-DeliveryPlaceType-1", "4"), (OTHER, None)):
        [made] = events(nhs.birth(0, more=delivery_place(nhs.concept("type", "4", system))))
        assert [(each["role"], each["type"]) for each in made["organisations"]] == [("delivery_place", taken)]


def delivery_place(kind: str) -> str:
    """Where the first child was born: an organisation of a type."""
    role = nhs.concept("type", "delivery-place", f"{nhs.SYSTEM}BirthEpisodeCategory-1")
    episode = nhs.primitive("status", "finished") + role + nhs.reference("patient", "p0")
    return nhs.entry("EpisodeOfCare", "e", episode + nhs.reference("managingOrganization", "place")) + nhs.entry(
        "Organization", "place", kind + nhs.primitive("name", "Home")
    )


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


def test_the_example_file() -> None:
    """The example under examples/ reads as its comment says: two events of the twins, one message refused."""
    found = read(NAME, (Path(__file__).parents[2] / "examples" / "nhs-messages.xml").read_bytes())

    assert [each.event_type for each in found if isinstance(each, SourceRecord)] == [
        "death-notified", "death-notified", "address-changed", "birth-notified", "birth-notified", "death-notified",
        "death-notified", "death-notified",
    ]  # fmt: skip
    assert [(e.number, e.problem.rule) for e in found if isinstance(e, RefusedRecord)] == [(9, "code-system")]
    assert {e.event["subject"]["value"][:3] for e in found if isinstance(e, SourceRecord)} == {"999"}
