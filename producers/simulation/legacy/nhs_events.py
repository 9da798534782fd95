"""Messages of the NHS events service, written: a Bundle of type collection with a message in each entry.

Source: nhsconnect/Events-Management, one page a message; HL7 FHIR Release 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from producers.simulation.legacy import _fhir as fhir
from producers.simulation.legacy._fhir import node, value
from producers.simulation.legacy.base import EMPTY_PERSON, Event, LegacyFormat, Loss, always

_CODES = {
    "address-changed": "pds-change-of-address-1",
    "birth-notified": "pds-birth-notification-1",
    "death-notified": "pds-death-notification-1",
    "gp-registration-changed": "pds-change-of-gp-1",
    "record-changed": "pds-record-change-1",
}
_KINDS = {"CORRECTED": "update", "ANNULLED": "delete"}
_STATUSES = {"INFORMAL": "1", "FORMAL": "2", "REMOVED": "U"}
_DEATH = fhir.CARECONNECT + "Extension-CareConnect-DeathNotificationStatus-1"
_SNOMED, _UCUM = "http://snomed.info/sct", "http://unitsofmeasure.org"
_BIRTH_EPISODE, _PROVISION = fhir.CODES + "BirthEpisodeCategory-1", fhir.CODES + "EMS-PDS-PatientCareProvisionType-1"
_STILLBORN = fhir.CODES + "EMS-PDS-StillBornIndicator-1"


def write(file: BinaryIO, events: Iterable[tuple[str, Event]]) -> int:
    """Write a collection of messages. Returns how many."""
    count = 0
    file.write(b'<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>\n')
    for event_type, event in events:
        message = node("Bundle", value("id", fhir.id_of(event["event_id"], "bundle")), value("type", "message"),
                       _header(event_type, event), *_WRITERS[event_type](event))  # fmt: skip
        file.write(node("entry", node("resource", message)).encode() + b"\n")
        count += 1
    file.write(b"</Bundle>\n")
    return count


def _header(event_type: str, event: Event) -> str:
    own_id, focus = fhir.id_of(event["event_id"], "header"), fhir.id_of(event["event_id"], "communication")
    number, person = _routed_to(event_type, event)
    routed = []
    if number is not None:
        identifier = node("valueIdentifier", value("system", fhir.NHS_NUMBER), value("value", number))
        routed.append(fhir.extension("nhsNumber", identifier))
    if person is not None:
        routed.append(fhir.extension("birthDateTime", fhir.date("valueDateTime", person["date_of_birth"])))
    kind = fhir.concept("valueCodeableConcept", fhir.CODES + "MessageEventType-1", _KINDS.get(event["change"], "new"))
    header = (
        fhir.extension(fhir.NHS + "Extension-RoutingDemographics-1", *routed),
        fhir.extension(fhir.NHS + "Extension-MessageEventType-1", kind),
        node("event", value("system", fhir.CODES + "EventType-1"), value("code", _CODES[event_type])),
        value("timestamp", fhir.instant(event["received_at"])),
        node("source", value("endpoint", "urn:nhs:addressing:asid:999999999999")),
        fhir.reference("focus", focus),
    )
    updated = fhir.instant(event["recorded_at"])
    subject = fhir.reference("subject", fhir.id_of(event["event_id"], "patient"))
    return fhir.resource("MessageHeader", own_id, *header, updated=updated) + fhir.resource(
        "Communication", focus, value("status", "completed"), subject
    )


def _routed_to(event_type: str, event: Event) -> tuple[str | None, Mapping[str, Any] | None]:
    """Whom the envelope names: the person, and of a birth the mother."""
    if event_type != "birth-notified":
        return event["subject"]["value"], event.get("person")
    return _nhs(event["related"][0]["subject"]), event["mother"]


def _nhs(subject: Mapping[str, Any]) -> str | None:
    number: str = subject["value"]
    return number if subject["scheme"] == "nhs_number" else None


def _patient(event: Event, *children: str, noted: str = "") -> str:
    number = fhir.nhs_number(event["subject"]["value"])
    return fhir.resource("Patient", fhir.id_of(event["event_id"], "patient"), noted, number, *children,
                         version=event["record_version"], label=event["protection"])  # fmt: skip


def _address_changed(event: Event) -> list[str]:
    names, sex, born, _ = fhir.about(event["person"], addresses=False)
    new = [] if event["new_address"] is None else [event["new_address"]]
    return [_patient(event, names, sex, born, *map(fhir.address, new + event["previous_addresses"]))]


def _death_notified(event: Event) -> list[str]:
    names, sex, born, homes = fhir.about(event["person"], addresses=True)
    status = fhir.concept("valueCodeableConcept", fhir.DEATH_STATUS, _STATUSES[event["status"]])
    effective = fhir.date("valueDateTime", event["effective_from"])
    noted = fhir.extension(_DEATH, fhir.extension("deathNotificationStatus", status),
                           fhir.extension("systemEffectiveDate", effective) if effective else "")  # fmt: skip
    died = fhir.date("deceasedDateTime", event["occurred_on"])
    return [_patient(event, names, sex, born, died, homes, noted=noted)]


def _practice_changed(event: Event) -> list[str]:
    names, sex, born, _ = fhir.about(event["person"], addresses=False)
    new, old = event["new_practice"], event["previous_practice"]
    practice = "" if new is None else fhir.reference("generalPractitioner", fhir.DIRECTORY + new["value"])
    found = [_patient(event, names, sex, born, practice)]
    if old is not None:
        found.append(_episode(event, "previous", _PROVISION, "1", "patient", fhir.DIRECTORY + old["value"]))
    return found


def _record_changed(event: Event) -> list[str]:
    by = event["changed_by"]
    found = [_patient(event)]
    if by is not None:
        agent = node("agent", fhir.reference("whoReference", fhir.DIRECTORY + by["value"]))
        found.append(fhir.resource("Provenance", fhir.id_of(event["event_id"], "provenance"), agent))
    return found


def _episode(event: Event, what: str, system: str, code: str, patient: str, where: str) -> str:
    return fhir.resource(
        "EpisodeOfCare", fhir.id_of(event["event_id"], what), value("status", "active"),
        fhir.concept("type", system, code), fhir.reference("patient", fhir.id_of(event["event_id"], patient)),
        fhir.reference("managingOrganization", where),
    )  # fmt: skip


def _birth_notified(event: Event) -> list[str]:
    """The message is about the mother, and leads to the child."""
    event_id, child = event["event_id"], event["child"]
    mother = event["mother"] or EMPTY_PERSON
    number = _nhs(event["related"][0]["subject"])
    names, sex, born, homes = fhir.about(mother, addresses=True)
    link = node("link", fhir.reference("other", fhir.id_of(event_id, "relation")), value("type", "seealso"))
    found = [
        fhir.resource("Patient", fhir.id_of(event_id, "patient"), "" if number is None else fhir.nhs_number(number),
                      names, sex, born, homes, link),
        fhir.resource("RelatedPerson", fhir.id_of(event_id, "relation"),
                      fhir.reference("patient", fhir.id_of(event_id, "child"))),
    ]  # fmt: skip
    names, sex, born, _ = fhir.about(child, addresses=False)
    order = None if event["birth_order"] is None else str(event["birth_order"])
    found.append(
        fhir.resource("Patient", fhir.id_of(event_id, "child"), fhir.nhs_number(event["subject"]["value"]), names, sex,
                      born, value("multipleBirthInteger", order), version=event["record_version"],
                      label=event["protection"])
    )  # fmt: skip
    return found + _observations(event) + _delivery(event)


def _observations(event: Event) -> list[str]:
    weeks = event["gestation_weeks"]
    told: list[tuple[str, str, str, str]] = []
    if event["births_at_delivery"] is not None:
        told.append(("382341000000101", "patient", "", str(event["births_at_delivery"])))
    if event["birth_weight_grams"] is not None:
        told.append(("364589006", "child", "g", str(event["birth_weight_grams"])))
    if weeks is not None:
        told.append(("412726003", "child", "wk", str(round(weeks, 6))))
    found = []
    for code, who, unit, amount in told:
        coded = value("system", _UCUM) + value("code", unit) if unit else ""
        quantity = node("valueQuantity", value("value", amount), coded)
        found.append(_observation(event, code, who, quantity))
    if event["stillbirth"] is not None:
        found.append(_observation(event, "237364002", "child", fhir.concept(
            "valueCodeableConcept", _STILLBORN, "4" if event["stillbirth"] else "1")))  # fmt: skip
    return found


def _observation(event: Event, code: str, who: str, found: str) -> str:
    return fhir.resource(
        "Observation", fhir.id_of(event["event_id"], code), value("status", "final"),
        fhir.concept("code", _SNOMED, code), fhir.reference("subject", fhir.id_of(event["event_id"], who)), found,
    )  # fmt: skip


def _delivery(event: Event) -> list[str]:
    found = []
    for each in event["organisations"]:
        own_id = fhir.id_of(event["event_id"], each["value"])
        found += [
            _episode(event, f"{each['value']}-episode", _BIRTH_EPISODE, "delivery-place", "child", own_id),
            fhir.resource("Organization", own_id, node("identifier", value("system", fhir.ODS_CODE),
                          value("value", each["value"])), value("name", each["name"])),
        ]  # fmt: skip
    return found


_WRITERS: Mapping[str, Callable[[Event], list[str]]] = {
    "address-changed": _address_changed,
    "birth-notified": _birth_notified,
    "death-notified": _death_notified,
    "gp-registration-changed": _practice_changed,
    "record-changed": _record_changed,
}


def _holds(event: Event) -> bool:
    return _nhs(event["subject"]) is not None and event["change"] != "REINSTATED"


def _change(event: Event) -> str:
    """A new message of a birth and of an informal death creates; every other one changes the person's record."""
    change: str = event["change"]
    creates = "child" in event or event.get("status") == "INFORMAL"
    return change if change != "CREATED" or creates else "CHANGED"


def _occurred(event: Event) -> Any:
    if "new_practice" in event:
        at = datetime.fromtimestamp(event["received_at"] / 1000, UTC)
        return _day(at.year, at.month, at.day)
    if "new_address" in event:
        period = event["new_address"] and event["new_address"]["period"]
        return period["start"] if period else None
    return None if "record_kind" in event else event["occurred_on"]


def _day(year: int, month: int, day: int) -> Event:
    return {"year": year, "month": month, "day": day, "time": None, "zone": None, "text": None, "verification": None}


def _person(event: Event) -> Any:
    person = dict(event["person"] or EMPTY_PERSON)
    addresses = person["addresses"] if "status" in event else []
    return person | {"addresses": addresses, "sex": _sex(person["sex"])}


def _sex(sex: str | None) -> str | None:
    return "NOT_KNOWN" if sex is not None and sex not in fhir.SEXES else sex


def _mother(event: Event) -> Any:
    number = _nhs(event["related"][0]["subject"])
    identifiers = [] if number is None else [{"scheme": "nhs_number", "value": number, "verified": True}]
    return event["mother"] | {"identifiers": identifiers, "sex": _sex(event["mother"]["sex"])}


def _related(event: Event) -> Any:
    return [
        each | {"subject": each["subject"] if _nhs(each["subject"]) is not None else None} for each in event["related"]
    ]


NHS_EVENTS = LegacyFormat(
    name="nhs-events",
    event_types=tuple(_CODES),
    write=write,
    holds=_holds,
    unheld="a person without an NHS number, and a reinstatement",
    losses=(
        Loss("change", "CHANGED of a new address, practice, record or formal death: it is the person's record that "
             "changes", _change),
        Loss("reason", "not held; status_removed of a death that is removed",
             lambda event: "status_removed" if event.get("status") == "REMOVED" else None),
        Loss("record_id", "the NHS number: the record is the person's", lambda event: event["subject"]["value"]),
        Loss("supersedes", "not held", always(None)),
        Loss("life_event_id", "not held; of several births it is derived anew", always(None)),
        Loss("occurred_on", "of an address the day from which it holds, of a practice the day of the message, of a "
             "record none", _occurred),
        Loss("identifiers", "the subject's NHS number, verified",
             lambda event: [{**event["subject"], "verified": True}]),
        Loss("related", "without ids other than NHS numbers", _related),
        Loss("person", "without addresses, but for a death; a sex that is not specified is not known", _person),
        Loss("child", "a sex that is not specified is not known",
             lambda event: event["child"] | {"sex": _sex(event["child"]["sex"])}),
        Loss("mother", "with her NHS number", _mother),
        Loss("gestation_weeks", "six decimals",
             lambda event: None if event["gestation_weeks"] is None else round(event["gestation_weeks"], 6)),
        Loss("record_kind", "demographics", always("demographics")),
        Loss("changed_by", "in that role",
             lambda event: None if event["changed_by"] is None else event["changed_by"] | {"role": "changed_by"}),
    ),
)  # fmt: skip
