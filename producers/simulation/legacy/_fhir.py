"""Writes FHIR STU3 XML as text: elements, datatypes and resources of one message.

Source: HL7 FHIR Release 3 (STU), the XML representation; nhsconnect/Events-Management for profiles and code systems.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

from producers.simulation.legacy.base import iso_date

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
CARECONNECT = "https://fhir.hl7.org.uk/STU3/StructureDefinition/"
NHS = "https://fhir.nhs.uk/STU3/StructureDefinition/"
CODES = "https://fhir.nhs.uk/STU3/CodeSystem/"
DEATH_STATUS = "https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-DeathNotificationStatus-1"
DIRECTORY = "https://directory.spineservices.nhs.uk/STU3/Organization/"
SEXES = {"MALE": "male", "FEMALE": "female", "INDETERMINATE": "other"}
"""Any other is `unknown`."""
_USES = {"HOME": "home", "OLD": "old", "OFFICIAL": "official"}
_LABELS = {"LOCATION": "R", "FULL": "V"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def node(name: str, *children: str) -> str:
    """An element with elements in it."""
    return f"<{name}>{''.join(children)}</{name}>"


def value(name: str, text: str | None) -> str:
    """A primitive; nothing where there is no text."""
    return "" if text is None else f"<{name} value={quoteattr(text)}/>"


def extension(url: str, *children: str) -> str:
    """An extension."""
    return f'<extension url="{url}">{"".join(children)}</extension>'


def concept(name: str, system: str, code: str) -> str:
    """A CodeableConcept of one coding."""
    return node(name, node("coding", value("system", system), value("code", code)))


def reference(name: str, target: str) -> str:
    """A Reference to a resource of the message, by its id, or to an address."""
    return node(name, value("reference", target if "/" in target else f"urn:uuid:{target}"))


def resource(
    kind: str, own_id: str, *children: str, version: int | None = None, updated: str | None = None, label: str = "NONE"
) -> str:
    """An entry with one resource. `label` is a protection."""
    marks = "" if label not in _LABELS else node(
        "security", value("system", "http://hl7.org/fhir/v3/Confidentiality"), value("code", _LABELS[label])
    )  # fmt: skip
    number = value("versionId", None if version is None else str(version))
    meta = node("meta", number, value("lastUpdated", updated), marks)
    return node("entry", value("fullUrl", f"urn:uuid:{own_id}"),
                node("resource", node(kind, value("id", own_id), meta, *children)))  # fmt: skip


def instant(ms: int) -> str:
    """Milliseconds since 1970 as a FHIR instant."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")


def date(name: str, found: Mapping[str, Any] | None) -> str:
    """A date as far as it is known."""
    return value(name, None if found is None else iso_date(found))


def id_of(event_id: str, what: str) -> str:
    """The id of a message's resource."""
    return str(uuid.uuid5(uuid.UUID(event_id), what))


def nhs_number(number: str) -> str:
    """An NHS number, present and verified."""
    status = "https://fhir.hl7.org.uk/STU3/CareConnect-NHSNumberVerificationStatus-1"
    verified = concept("valueCodeableConcept", status, "01")
    return node("identifier", extension(CARECONNECT + "Extension-CareConnect-NHSNumberVerificationStatus-1", verified),
                value("system", NHS_NUMBER), value("value", number))  # fmt: skip


def human_name(name: Mapping[str, Any]) -> str:
    """A name."""
    given = (value("given", each) for each in name["given"])
    return node("name", value("use", _USES[name["use"]]), value("family", name["family"]), *given)


def address(found: Mapping[str, Any]) -> str:
    """An address, with its period where it has one."""
    lines = (value("line", line) for line in found["lines"])
    period = found["period"]
    when = "" if period is None else node("period", date("start", period["start"]), date("end", period["end"]))
    return node("address", value("use", _USES[found["use"]]), *lines, value("postalCode", found["postcode"]),
                value("country", found["country"]), when)  # fmt: skip


def about(person: Mapping[str, Any] | None, *, addresses: bool) -> tuple[str, ...]:
    """Name, sex and date of birth of a Patient, and the addresses where they belong there, in the order of FHIR; what
    stands between them is the caller's."""
    if person is None:
        return "", "", "", ""
    names = "".join(human_name(name) for name in person["names"])
    sex = value("gender", None if person["sex"] is None else SEXES.get(person["sex"], "unknown"))
    homes = "".join(map(address, person["addresses"])) if addresses else ""
    return names, sex, date("birthDate", person["date_of_birth"]), homes
