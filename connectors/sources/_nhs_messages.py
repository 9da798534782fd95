"""The event of one NHS message, by the kind of message. Source: nhsconnect/Events-Management, one page a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from connectors.sources import _fhir as fhir
from connectors.sources import _nhs_header as nhs
from connectors.sources._nhs_birth import death_status, read_births
from connectors.sources._xml import Element
from connectors.sources.base import NOT_IN_ANNULMENT, Cleansing, RecordError, SourceContext

DEATH_EXTENSION = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-DeathNotificationStatus-1"
CARE_PROVISION = "https://fhir.nhs.uk/STU3/CodeSystem/EMS-PDS-PatientCareProvisionType-1"
_CHANGES = {"update": "CORRECTED", "delete": "ANNULLED"}


class Made(NamedTuple):
    """An event without its ids, its type, and what was left out of it. No value is in its repr."""

    event_type: str
    event: dict[str, Any]
    left_out: tuple[Cleansing, ...] = ()

    def __repr__(self) -> str:
        return f"Made({self.event_type})"


def read_message(letter: nhs.Letter, context: SourceContext) -> list[Made]:
    """The events of a message: one, or one for each child born. Raises RecordError where it cannot be one."""
    reader = READERS.get(letter.event_code or "")
    if reader is None:
        known = ", ".join(READERS)
        raise RecordError("MessageHeader.event", "event-unknown", f"no such message is known; known: {known}")
    return reader(letter, context)


def _births(letter: nhs.Letter, context: SourceContext) -> list[Made]:
    return [Made("birth-notified", event) for event in read_births(letter, context)]


def _death(letter: nhs.Letter, context: SourceContext) -> list[Made]:
    patient = letter.patient
    noted = fhir.extension(patient, DEATH_EXTENSION)
    status = death_status(fhir.extension(noted, "deathNotificationStatus"))
    if status is None:
        raise RecordError("Patient.deathNotificationStatus", "required", "a death notification says its status")
    change = _CHANGES.get(letter.message_type, "CHANGED" if status == "FORMAL" else "CREATED")
    event = nhs.head(letter, patient, context) | {
        "change": "ANNULLED" if status == "REMOVED" else change,
        "reason": "status_removed" if status == "REMOVED" else None,
        "status": status,
        "message": nhs.envelope(letter),
    }
    try:
        return [Made("death-notified", event | _death_body(letter, noted))]
    except RecordError as error:
        if event["change"] != "ANNULLED":
            raise
        # Nothing in its body can refuse an annulment, or a living person stays dead over a code.
        return [Made("death-notified", event | _NO_BODY, (Cleansing(error.field, NOT_IN_ANNULMENT.name),))]


_NO_BODY = dict.fromkeys(
    ("occurred_on", "effective_from", "person", "stillbirth", "notified_by", "communicated_on")
)  # what `_death_body` fills


def _death_body(letter: nhs.Letter, noted: Element | None) -> dict[str, Any]:
    patient = letter.patient
    person = nhs.person(patient)
    person["addresses"] = [fhir.address(each) for each in fhir.many(patient, "address")]
    effective = fhir.text(fhir.extension(noted, "systemEffectiveDate"), "valueDateTime")
    return _NO_BODY | {
        "occurred_on": died_on(patient),
        "effective_from": fhir.partial_date(effective, "Patient.systemEffectiveDate"),
        "person": person,
        "notified_by": _responsible(letter),
        "communicated_on": nhs.communicated_on(letter),
    }


def died_on(patient: Element) -> dict[str, Any] | None:
    """When a patient died; None where it is only said that they did."""
    return fhir.partial_date(fhir.text(patient, "deceasedDateTime"), "Patient.deceasedDateTime")


def _address(letter: nhs.Letter, context: SourceContext) -> list[Made]:
    addresses = [fhir.address(each) for each in fhir.many(letter.patient, "address")]
    new = [each for each in addresses if each["use"] != "OLD"]
    if len(new) > 1:
        raise RecordError("Patient.address", "address-unclear", "more than one address is not an old one")
    since = new[0]["period"]["start"] if new and new[0]["period"] else None
    event = nhs.head(letter, letter.patient, context) | {
        "change": _CHANGES.get(letter.message_type, "CHANGED"),
        "occurred_on": since,
        "new_address": new[0] if new else None,
        "previous_addresses": [each for each in addresses if each["use"] == "OLD"],
        "person": nhs.person(letter.patient),
        "communicated_on": nhs.communicated_on(letter),
        "message": nhs.envelope(letter),
    }
    return [Made("address-changed", event)]


def _practice(letter: nhs.Letter, context: SourceContext) -> list[Made]:
    new = fhir.one(letter.patient, "generalPractitioner")
    practice = nhs.organisation(letter, new, "general_practice", "Patient.generalPractitioner")
    message = nhs.envelope(letter)
    event = nhs.head(letter, letter.patient, context) | {
        "change": _CHANGES.get(letter.message_type, "CHANGED" if practice is not None else "ENDED"),
        "occurred_on": _day(fhir.partial_date(fhir.text(letter.header, "timestamp"), "MessageHeader.timestamp")),
        "new_practice": practice,
        "previous_practice": _previous(letter),
        "person": nhs.person(letter.patient),
        "message": message,
    }
    return [Made("gp-registration-changed", event)]


def _previous(letter: nhs.Letter) -> dict[str, Any] | None:
    episodes = [
        each
        for each in letter.resources.of("EpisodeOfCare")
        if "1" in fhir.codes(fhir.one(each, "type"), CARE_PROVISION)
    ]
    if len(episodes) > 1:
        raise RecordError("EpisodeOfCare", "repeated-element", "there is one previous practice")
    if not episodes or fhir.text(episodes[0], "status") == "entered-in-error":
        return None
    managing = fhir.one(episodes[0], "managingOrganization")
    made = nhs.organisation(letter, managing, "general_practice", "EpisodeOfCare.managingOrganization")
    period = fhir.period(fhir.one(episodes[0], "period"), "EpisodeOfCare.period")
    return None if made is None else made | {"period": period}


def _record(letter: nhs.Letter, context: SourceContext) -> list[Made]:
    provenances = letter.resources.of("Provenance")
    if len(provenances) > 1:
        raise RecordError("Provenance", "repeated-element", "a change has one provenance")
    provenance = provenances[0] if provenances else None
    event = nhs.head(letter, letter.patient, context) | {
        "change": _CHANGES.get(letter.message_type, "CHANGED"),
        "record_kind": "demographics",
        "read_from": None,
        "person": nhs.person(letter.patient),
        "provenance_recorded_on": fhir.partial_date(fhir.text(provenance, "recorded"), "Provenance.recorded"),
        "changed_by": _changed_by(letter, provenance),
        "message": nhs.envelope(letter),
    }
    return [Made("record-changed", event)]


def _changed_by(letter: nhs.Letter, provenance: Element | None) -> dict[str, Any] | None:
    """Who changed it, by the first agent: an organisation, or the patient, who is named by the role alone."""
    agent = next(iter(fhir.many(provenance, "agent")), None)
    who = fhir.one(agent, "whoReference")
    if who is None:
        return None
    if letter.resources.leads_to(who, letter.patient):
        return {"role": "patient", "scheme": None, "value": None, "name": None, "type": None, "period": None}
    return nhs.organisation(letter, who, "changed_by", "Provenance.agent.whoReference")


def _responsible(letter: nhs.Letter) -> dict[str, Any] | None:
    return nhs.organisation(letter, fhir.one(letter.header, "responsible"), "responsible", "MessageHeader.responsible")


def _day(parts: dict[str, Any] | None) -> dict[str, Any] | None:
    """The date without its time: the message says on which day the practice changed, not when."""
    return None if parts is None else parts | {"time": None, "zone": None}


READERS: Mapping[str, Callable[[nhs.Letter, SourceContext], list[Made]]] = MappingProxyType(
    {
        "pds-birth-notification-1": _births,
        "pds-change-of-address-1": _address,
        "pds-change-of-gp-1": _practice,
        "pds-death-notification-1": _death,
        "pds-record-change-1": _record,
    }
)
