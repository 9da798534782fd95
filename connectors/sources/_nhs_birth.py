"""The births of one NHS birth notification: the message is about the mother, each event about a child."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from connectors.sources import _fhir as fhir
from connectors.sources import _nhs_header as nhs
from connectors.sources._fhir_codes import (
    ANOMALIES,
    ANOMALY_SYSTEM,
    BIRTH_ROLES,
    DEATH_STATUS_SYSTEM,
    DEATH_STATUSES,
    ETHNICITY_SYSTEM,
    STILLBIRTH_SYSTEM,
    STILLBIRTHS,
)
from connectors.sources._xml import Element
from connectors.sources.base import RecordError, SourceContext

REGISTRATION = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-RegistrationDetails-1"
ETHNICITY = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-EthnicCategory-1"
BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/birthPlace"
DEATH_STATUS = (
    "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-DeathNotificationStatus-1",
    "deathNotificationStatus",
)
SNOMED = "http://snomed.info/sct"
BIRTH_EPISODE = "https://fhir.nhs.uk/STU3/CodeSystem/BirthEpisodeCategory-1"
WEIGHT, GESTATION, BIRTHS, STILLBIRTH, ANOMALY = (
    "364589006",
    "412726003",
    "382341000000101",
    "237364002",
    "1097291000000101",
)
UNITS: Mapping[str, str] = MappingProxyType({WEIGHT: "g", GESTATION: "wk"})
"""The UCUM code that an observation's quantity must have. Source: Unified Code for Units of Measure."""
UCUM = "http://unitsofmeasure.org"
CODED: Mapping[str, tuple[frozenset[str], Mapping[str, Any]]] = MappingProxyType(
    {STILLBIRTH: (STILLBIRTH_SYSTEM, STILLBIRTHS), ANOMALY: (ANOMALY_SYSTEM, ANOMALIES)}
)
"""The code system and the table of an observation's coded value."""
_FINAL = frozenset({"final", "amended", "corrected"})


def read_births(letter: nhs.Letter, context: SourceContext) -> list[dict[str, Any]]:
    """One `birth-notified` without its ids for each child. Raises RecordError where no child is named."""
    change = {"update": "CORRECTED", "delete": "ANNULLED"}.get(letter.message_type, "CREATED")
    return [_event(letter, baby, context) | {"change": change} for baby in _babies(letter)]


def _event(letter: nhs.Letter, baby: Element, context: SourceContext) -> dict[str, Any]:
    resources = (letter.bundle, letter.header, letter.communication, letter.patient, baby)
    births = _quantity(letter, letter.patient, BIRTHS)
    return (
        nhs.head(letter, baby, context)
        | {
            "related": [_related("mother", letter.patient), *_notifier(letter)],
            "protection": fhir.protection(resources),
            "mother": _mother(letter),
            "births_at_delivery": _whole(births, "Observation.numberOfBirths"),
            "communicated_on": nhs.communicated_on(letter),
            "message": nhs.envelope(letter),
        }
        | _birth(letter, baby)
    )


def _babies(letter: nhs.Letter) -> list[Element]:
    found: list[Element] = []
    for link in fhir.many(letter.patient, "link"):
        relation = letter.resources.follow(fhir.one(link, "other"), "RelatedPerson", "Patient.link.other")
        baby = letter.resources.follow(fhir.one(relation, "patient"), "Patient", "RelatedPerson.patient")
        if baby is None or baby is letter.patient or any(baby is each for each in found):
            raise RecordError("RelatedPerson.patient", "child-unclear", "a relation leads to one child of its own")
        found.append(baby)
    if not found:
        raise RecordError("Patient.link", "required", "a birth notification names a child")
    return found


def _birth(letter: nhs.Letter, baby: Element) -> dict[str, Any]:
    child = nhs.person(baby)
    birth_time = fhir.text(fhir.extension(fhir.one(baby, "birthDate"), nhs.BIRTH_TIME), "valueDateTime")
    ethnicity = fhir.one(fhir.extension(baby, ETHNICITY), "valueCodeableConcept")
    place = fhir.one(fhir.extension(baby, BIRTH_PLACE), "valueAddress")
    child |= {
        "addresses": [fhir.address(each) for each in fhir.many(baby, "address")],
        "place_of_birth": None if place is None else fhir.address(place, "PLACE"),
        "ethnic_category": fhir.code(ethnicity, ETHNICITY_SYSTEM, "Patient.ethnicCategory"),
        "date_of_death": fhir.partial_date(fhir.text(baby, "deceasedDateTime"), "Patient.deceasedDateTime"),
    }
    return {
        "occurred_on": fhir.partial_date(birth_time, "Patient.birthDate.birthTime") or child["date_of_birth"],
        "child": child,
        "stillbirth": _coded(letter, baby, STILLBIRTH, "Observation.stillbirth"),
        "birth_order": _whole(fhir.text(baby, "multipleBirthInteger"), "Patient.multipleBirthInteger"),
        "birth_weight_grams": _whole(_quantity(letter, baby, WEIGHT), "Observation.birthWeight"),
        "gestation_weeks": _decimal(_quantity(letter, baby, GESTATION), "Observation.gestation"),
        "congenital_anomaly_suspected": _coded(letter, baby, ANOMALY, "Observation.suspectedCongenitalAbnormality"),
        "organisations": _organisations(letter, baby),
        "death_status": _death_status(baby),
    }


def death_status(extension: Element | None) -> Any:
    """What an extension with a death notification's status says; None where there is none. Raises RecordError for a
    code that is not in the table, or of another system."""
    field = "Patient.deathNotificationStatus"
    concept = fhir.one(extension, "valueCodeableConcept")
    return fhir.table(fhir.code(concept, DEATH_STATUS_SYSTEM, field), DEATH_STATUSES, field)


def _death_status(baby: Element) -> Any:
    noted = fhir.extension(baby, *DEATH_STATUS)
    return death_status(fhir.extension(noted, DEATH_STATUS[1]) or noted)


def _mother(letter: nhs.Letter) -> dict[str, Any]:
    made = nhs.person(letter.patient)
    practice = fhir.one(letter.patient, "generalPractitioner")
    registered = fhir.one(
        fhir.extension(fhir.extension(letter.patient, REGISTRATION), "registrationPeriod"), "valuePeriod"
    )
    numbers = nhs.nhs_numbers(letter.patient)
    return made | {
        "identifiers": [{name: each[name] for name in ("scheme", "value", "verified")} for each in numbers],
        "addresses": [fhir.address(each) for each in fhir.many(letter.patient, "address")],
        "general_practice": nhs.organisation(letter, practice, "general_practice", "Patient.generalPractitioner"),
        "registration_period": fhir.period(registered, "Patient.registrationPeriod"),
    }


def _related(role: str, patient: Element) -> dict[str, Any]:
    current = [each["value"] for each in nhs.nhs_numbers(patient) if not each["old"]]
    return {
        "role": role,
        "subject": {"scheme": "nhs_number", "value": current[0]} if len(current) == 1 else None,
        "names": [fhir.human_name(each) for each in fhir.many(patient, "name")],
        "date_of_birth": fhir.partial_date(fhir.text(patient, "birthDate"), "Patient.birthDate"),
    }


def _notifier(letter: nhs.Letter) -> list[dict[str, Any]]:
    found = letter.resources.follow(fhir.one(letter.header, "enterer"), "Practitioner", "MessageHeader.enterer")
    if found is None:
        return []
    names = [fhir.human_name(each) for each in fhir.many(found, "name")]
    return [{"role": "notifier", "subject": None, "names": names, "date_of_birth": None}]


def _organisations(letter: nhs.Letter, baby: Element) -> list[dict[str, Any]]:
    found = []
    for episode in letter.resources.of("EpisodeOfCare"):
        if not letter.resources.leads_to(fhir.one(episode, "patient"), baby):
            continue
        if fhir.text(episode, "status") == "entered-in-error":
            continue
        for code in fhir.codes(fhir.one(episode, "type"), BIRTH_EPISODE):
            role = fhir.table(code, BIRTH_ROLES, "EpisodeOfCare.type")
            managing = fhir.one(episode, "managingOrganization")
            made = nhs.organisation(letter, managing, role, "EpisodeOfCare.managingOrganization")
            period = fhir.period(fhir.one(episode, "period"), "EpisodeOfCare.period")
            found += [] if made is None else [made | {"period": period}]
    return found


def _observation(letter: nhs.Letter, patient: Element, code: str) -> Element | None:
    """The only observation of a kind about a patient. Raises RecordError where it is none that counts."""
    found = [
        each
        for each in letter.resources.of("Observation")
        if code in fhir.codes(fhir.one(each, "code"), SNOMED)
        and letter.resources.leads_to(fhir.one(each, "subject"), patient)
    ]
    if len(found) > 1:
        raise RecordError("Observation", "repeated-element", "there is one observation of a kind about a person")
    if found and fhir.text(found[0], "status") not in _FINAL:
        raise RecordError("Observation.status", "not-final", "the observation is not final")
    return found[0] if found else None


def _quantity(letter: nhs.Letter, patient: Element, code: str) -> str | None:
    quantity = fhir.one(_observation(letter, patient, code), "valueQuantity")
    if quantity is None:
        return None
    unit = (UCUM, UNITS[code]) if code in UNITS else (None, None)
    if fhir.text(quantity, "comparator") or (fhir.text(quantity, "system"), fhir.text(quantity, "code")) != unit:
        raise RecordError("Observation.valueQuantity", "unit", f"an exact number, in {UNITS.get(code, 'no unit')}")
    return fhir.text(quantity, "value")


def _coded(letter: nhs.Letter, patient: Element, code: str, field: str) -> Any:
    systems, known = CODED[code]
    concept = fhir.one(_observation(letter, patient, code), "valueCodeableConcept")
    return fhir.table(fhir.code(concept, systems, field), known, field)


def _decimal(written: str | None, field: str) -> float | None:
    if written is None:
        return None
    whole, _, part = written.partition(".")
    if not (written.isascii() and whole.isdigit() and (part.isdigit() or part == "") and len(written) <= 12):
        raise RecordError(field, "number", "not a number of at most twelve digits")
    return float(written)


def _whole(written: str | None, field: str) -> int | None:
    number = _decimal(written, field)
    if number is not None and (not number.is_integer() or number > 1_000_000):
        raise RecordError(field, "number", "not a whole number of at most a million")
    return None if number is None else int(number)
