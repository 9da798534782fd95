"""What is the same in every NHS event message: header, communication, subject, organisations, and the event's head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.sources import _fhir as fhir
from connectors.sources._fhir_bundle import Message
from connectors.sources._fhir_codes import (
    MESSAGE_TYPE_SYSTEM,
    ORGANISATION_SYSTEMS,
    SEXES,
    VERIFICATION_SYSTEM,
    VERIFIED,
)
from connectors.sources._xml import Element
from connectors.sources.base import RecordError, SourceContext, new_head

SYSTEM = "nhs-events"
NHS_NUMBER_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
ODS_SYSTEM = "https://fhir.nhs.uk/Id/ods-organization-code"
EVENT_SYSTEM = "https://fhir.nhs.uk/STU3/CodeSystem/EventType-1"
ROUTING = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RoutingDemographics-1"
MESSAGE_TYPE = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-MessageEventType-1"
VERIFICATION = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-NHSNumberVerificationStatus-1"
BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
MESSAGE_TYPES = ("new", "update", "delete")
_DIRECTORY = "/Organization/"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message, opened: its resources, its header, the communication (a record change has none) and the patient that
    it is about. No value is in its repr."""

    bundle: Element
    resources: fhir.Resources
    header: Element
    communication: Element | None
    patient: Element

    def __repr__(self) -> str:
        return "Letter(…)"

    @property
    def event_code(self) -> str | None:
        """The code of the event (`pds-death-notification-1`)."""
        event = fhir.one(self.header, "event")
        return fhir.text(event, "code") if fhir.text(event, "system") == EVENT_SYSTEM else None

    @property
    def message_type(self) -> str:
        """`new`, `update` or `delete`. Raises RecordError for anything else: it may take something back."""
        concept = fhir.one(fhir.extension(self.header, MESSAGE_TYPE), "valueCodeableConcept")
        kind = fhir.code(concept, MESSAGE_TYPE_SYSTEM, "MessageHeader.messageEventType")
        if kind not in MESSAGE_TYPES:
            raise RecordError("MessageHeader.messageEventType", "unknown-code", "a message is new, update or delete")
        return kind

    @property
    def message_id(self) -> str:
        """The header's id, which real feeds use for several messages."""
        found = fhir.text(self.header, "id")
        if found is None:
            raise RecordError("MessageHeader.id", "required", "a message has an id")
        return found


def open_letter(message: Message) -> Letter:
    """Find out what a message is about. Raises RecordError where it cannot be told."""
    fhir.refuse_what_changes_meaning(message.bundle)
    resources = fhir.Resources(message.entries())
    header = resources.in_order[0]
    if len(resources.of("MessageHeader")) != 1:
        raise RecordError("MessageHeader", "repeated-element", "a message has one header")
    focus = fhir.one(header, "focus")
    communication: Element | None = None
    if resources.of("Communication"):
        communication = resources.follow(focus, "Communication", "MessageHeader.focus")
        if fhir.text(communication, "status") != "completed":
            raise RecordError("Communication.status", "not-completed", "the communication is not completed")
        focus = fhir.one(communication, "subject")
    patient = resources.follow(focus, "Patient", "Communication.subject" if communication else "MessageHeader.focus")
    if patient is None:
        raise RecordError("MessageHeader.focus", "required", "the message leads to no patient")
    return Letter(message.bundle, resources, header, communication, patient)


def head(letter: Letter, patient: Element, context: SourceContext) -> dict[str, Any]:
    """The head of an event about `patient`, without its ids. Raises RecordError where nobody is named."""
    numbers = nhs_numbers(patient)
    current = {each["value"] for each in numbers if not each.pop("old")}
    if len(current) != 1:
        message = "the patient has no NHS number" if not current else "the patient has several NHS numbers"
        raise RecordError("Patient.identifier", "subject-unclear", message)
    [number] = current
    source = fhir.one(letter.header, "source")
    made = new_head(context, fhir.text(source, "endpoint") or SYSTEM, letter.message_id)
    made["source"]["batch_id"] = fhir.text(letter.bundle, "id")
    return made | {
        "record_version": _count(fhir.text(fhir.one(patient, "meta"), "versionId")),
        "recorded_at": fhir.instant(
            fhir.text(fhir.one(letter.header, "meta"), "lastUpdated"), "MessageHeader.meta.lastUpdated"
        ),
        "subject": {"scheme": "nhs_number", "value": number},
        "identifiers": numbers,
        "protection": fhir.protection((letter.bundle, letter.header, letter.communication, patient)),
    }


def envelope(letter: Letter) -> dict[str, Any]:
    """The `message` of an event: when it was sent, its number in order, and whom its routing header names."""
    routing = fhir.extension(letter.header, ROUTING)
    named = fhir.one(fhir.extension(routing, "nhsNumber"), "valueIdentifier")
    born = fhir.text(fhir.extension(routing, "birthDateTime"), "valueDateTime")
    routed_to: dict[str, Any] | None = None
    if routing is not None:
        number = fhir.text(named, "value")
        routed_to = {
            "role": "routing_header",
            "subject": None if number is None else {"scheme": _scheme(named), "value": number},
            "names": [],
            "date_of_birth": fhir.partial_date(born, "MessageHeader.routingDemographics.birthDateTime"),
        }
    return {
        "sent_at": fhir.instant(fhir.text(letter.header, "timestamp"), "MessageHeader.timestamp"),
        "sequence": _count(fhir.text(fhir.one(letter.header, "meta"), "versionId")),
        "routed_to": routed_to,
    }


def communicated_on(letter: Letter) -> dict[str, Any] | None:
    """When the source says that it told of the event."""
    return fhir.partial_date(fhir.text(letter.communication, "sent"), "Communication.sent")


def nhs_numbers(patient: Element) -> list[dict[str, Any]]:
    """The NHS numbers of a patient, with how far each is verified, and whether it is an `old` one."""
    found = []
    for each in fhir.many(patient, "identifier"):
        number = fhir.text(each, "value")
        if fhir.text(each, "system") != NHS_NUMBER_SYSTEM or number is None:
            continue
        field = "Patient.identifier.nhsNumberVerificationStatus"
        status = fhir.one(fhir.extension(each, VERIFICATION), "valueCodeableConcept")
        verified = fhir.table(fhir.code(status, VERIFICATION_SYSTEM, field), VERIFIED, field)
        old = fhir.text(each, "use") == "old"
        found.append({"scheme": "nhs_number", "value": number, "verified": verified, "old": old})
    return found


def person(patient: Element) -> dict[str, Any]:
    """What a Patient says of a person, but for what the caller puts elsewhere."""
    if fhir.text(patient, "active") == "false":
        raise RecordError("Patient.active", "inactive", "the patient's record is not in use")
    return {
        "identifiers": [],
        "names": [fhir.human_name(each) for each in fhir.many(patient, "name")],
        "sex": fhir.table(fhir.text(patient, "gender"), SEXES, "Patient.gender"),
        "date_of_birth": fhir.partial_date(fhir.text(patient, "birthDate"), "Patient.birthDate"),
        "date_of_death": None,
        "addresses": [],
        "place_of_birth": None,
        "occupation": None,
        "ethnic_category": None,
        "general_practice": None,
        "registration_period": None,
    }


def organisation(letter: Letter, reference: Element | None, role: str, field: str) -> dict[str, Any] | None:
    """The Organisation that a Reference leads to: a resource of the message, or an address in the NHS directory."""
    written = fhir.text(reference, "reference")
    if written is None:
        return None
    made: dict[str, Any] = {"role": role, "scheme": None, "value": None, "name": None, "type": None, "period": None}
    if _DIRECTORY in written and not written.startswith("urn:"):
        in_directory = written.rpartition(_DIRECTORY)[2] or None
        return made | {"scheme": "ods_code", "value": in_directory, "name": fhir.text(reference, "display")}
    resource = letter.resources.follow(reference, "Organization", field)
    codes = [
        fhir.text(each, "value")
        for each in fhir.many(resource, "identifier")
        if fhir.text(each, "system") == ODS_SYSTEM
    ]
    code = next(iter(codes), None)
    return made | {
        "scheme": None if code is None else "ods_code",
        "value": code,
        "name": fhir.text(resource, "name") or fhir.text(reference, "display"),
        "type": _type(resource, role),
    }


def _type(resource: Element | None, role: str) -> str | None:
    """An organisation's type in the code system of its role; an organisation may have types of several systems."""
    systems = ORGANISATION_SYSTEMS.get(role, frozenset())
    found = [
        code for each in fhir.many(resource, "type") for name in sorted(systems) for code in fhir.codes(each, name)
    ]
    return next(iter(found), None)


def _scheme(identifier: Element | None) -> str:
    system = fhir.text(identifier, "system")
    return "nhs_number" if system in (None, NHS_NUMBER_SYSTEM) else str(system)


def _count(written: str | None) -> int | None:
    """A version that counts; one that does not (FHIR allows any text) is nobody's number."""
    return (
        int(written) if written is not None and written.isascii() and written.isdigit() and len(written) < 19 else None
    )
