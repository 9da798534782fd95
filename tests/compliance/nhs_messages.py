"""Small NHS event messages (FHIR STU3 XML) about nobody, for the suite of sources and the connector's own tests."""

from __future__ import annotations

FHIR = "http://hl7.org/fhir"
SYSTEM = "https://fhir.nhs.uk/STU3/CodeSystem/"
URL = "https://fhir.nhs.uk/STU3/StructureDefinition/"
CARE = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-"
DEATH_STATUS = "https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-DeathNotificationStatus-1"
STILLBORN = f"{SYSTEM}EMS-PDS-StillBornIndicator-1"
ANOMALY = f"{SYSTEM}EMS-PDS-SuspectedCongenitalAbnormalityIndicator-1"
VERIFICATION = "https://fhir.hl7.org.uk/STU3/CareConnect-NHSNumberVerificationStatus-1"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
NUMBERS = ("9990000018", "9990000026", "9990000034", "9990000042", "9990000050")
NAME = "ZZMARKEDZZ"


def primitive(name: str, value: object) -> str:
    """An element with a value."""
    return f'<{name} value="{value}"/>'


def element(name: str, *inner: str) -> str:
    """An element with children."""
    return f"<{name}>{''.join(inner)}</{name}>"


def extension(url: str, inner: str) -> str:
    """An extension."""
    return f'<extension url="{url}">{inner}</extension>'


def concept(name: str, code: str, system: str) -> str:
    """A CodeableConcept of one coding."""
    return f"<{name}><coding>{primitive('system', system)}{primitive('code', code)}</coding></{name}>"


def reference(name: str, to: str) -> str:
    """A Reference to a resource of the message."""
    return f"<{name}>{primitive('reference', f'urn:uuid:{to}')}</{name}>"


def entry(kind: str, key: str, inner: str) -> str:
    """An entry with a resource whose id is `key`."""
    resource = f"<{kind}>{primitive('id', key)}{inner}</{kind}>"
    return f"<entry>{primitive('fullUrl', f'urn:uuid:{key}')}<resource>{resource}</resource></entry>"


def number(value: str, use: str = "") -> str:
    """An NHS number."""
    said = primitive("use", use) if use else ""
    return element("identifier", said, primitive("system", NHS_NUMBER), primitive("value", value))


def patient(key: str, nhs_number: str, inner: str = "", *, before: str = "", born: str = "1951-07-30") -> str:
    """A patient; `before` stands before the identifier (meta, extensions), `inner` after the name."""
    name = f"<name>{primitive('use', 'official')}{primitive('family', NAME)}{primitive('given', NAME)}</name>"
    return entry("Patient", key, f"{before}{number(nhs_number)}{name}{inner}{primitive('birthDate', born)}")


def routing(nhs_number: str, born: str = "1951-07-30") -> str:
    """The routing header's extension."""
    identifier = element("valueIdentifier", primitive("system", NHS_NUMBER), primitive("value", nhs_number))
    inner = extension("nhsNumber", identifier) + extension("birthDateTime", primitive("valueDateTime", born))
    return extension(f"{URL}Extension-RoutingDemographics-1", inner)


def header(event: str, focus: str, message_id: str, routed: str, kind: str = "new") -> str:
    """The MessageHeader of a message sent at noon on 2026-03-16."""
    return entry(
        "MessageHeader",
        message_id,
        f"<meta>{primitive('versionId', 1)}{primitive('lastUpdated', '2026-03-16T09:30:00+00:00')}</meta>{routed}"
        + extension(
            f"{URL}Extension-MessageEventType-1", concept("valueCodeableConcept", kind, f"{SYSTEM}MessageEventType-1")
        )
        + f"<event>{primitive('system', f'{SYSTEM}EventType-1')}{primitive('code', event)}</event>"
        + primitive("timestamp", "2026-03-16T12:00:00+00:00")
        + element("source", primitive("endpoint", "urn:nhs:addressing:asid:000000000000"))
        + reference("focus", focus),
    )


def communication(key: str, subject: str, status: str = "completed") -> str:
    """A Communication about a patient."""
    return entry(
        "Communication",
        key,
        f"{primitive('status', status)}{reference('subject', subject)}{primitive('sent', '2026-03-16')}",
    )


def bundle(*entries: str, kind: str = "message", key: str = "b", root: bool = True) -> str:
    """A Bundle."""
    namespace = f' xmlns="{FHIR}"' if root else ""
    return f"<Bundle{namespace}>{primitive('id', key)}{primitive('type', kind)}{''.join(entries)}</Bundle>"


def collection(*messages: str) -> bytes:
    """A Bundle of type collection with these messages."""
    inner = "".join(f"<entry><resource>{each}</resource></entry>" for each in messages)
    return f'<Bundle xmlns="{FHIR}">{primitive("type", "collection")}{inner}</Bundle>'.encode()


def death(at: int = 0, status: str = "1", *, routed: str | None = None, inner: str = "", kind: str = "new") -> str:
    """A death notification about `NUMBERS[at]`; `inner` is more of the patient."""
    noted = extension("deathNotificationStatus", concept("valueCodeableConcept", status, DEATH_STATUS)) + extension(
        "systemEffectiveDate", primitive("valueDateTime", "2026-03-15")
    )
    died = "" if status == "U" else primitive("deceasedDateTime", "2026-03-14T15:00:00+00:00")
    return bundle(
        header("pds-death-notification-1", "c", f"m{at}", routing(NUMBERS[at]) if routed is None else routed, kind),
        communication("c", "p"),
        patient("p", NUMBERS[at], inner + died, before=extension(f"{CARE}DeathNotificationStatus-1", noted)),
        root=False,
    )


def move(at: int = 0, country: str = "") -> str:
    """A change of address of `NUMBERS[at]`."""
    said = primitive("country", country) if country else ""
    since = element("period", primitive("start", "2026-03-14"))
    line = primitive("line", NAME)
    new = element("address", primitive("use", "home"), line, primitive("postalCode", "ZZ9 9ZZ"), said, since)
    old = element("address", primitive("use", "old"), line, primitive("postalCode", "ZZ9 8ZZ"))
    return bundle(
        header("pds-change-of-address-1", "c", f"m{at}", routing(NUMBERS[at])),
        communication("c", "p"),
        patient("p", NUMBERS[at], old + new),
        root=False,
    )


def birth(*babies: int, mother: int = 4, births: int = 1, more: str = "") -> str:
    """A birth of each of `NUMBERS[babies]`, in order, on 2026-03-14."""
    links = "".join(f"<link>{reference('other', f'r{at}')}{primitive('type', 'seealso')}</link>" for at in babies)
    relations = (entry("RelatedPerson", f"r{at}", reference("patient", f"p{at}")) for at in babies)
    children = (
        patient(f"p{at}", NUMBERS[at], primitive("multipleBirthInteger", order), born="2026-03-14")
        for order, at in enumerate(babies, start=1)
    )
    code = concept("code", "382341000000101", "http://snomed.info/sct")
    quantity = f"<valueQuantity>{primitive('value', births)}</valueQuantity>"
    count = entry("Observation", "o", f"{primitive('status', 'final')}{code}{reference('subject', 'mother')}{quantity}")
    return bundle(
        header("pds-birth-notification-1", "c", f"m{babies[0]}", routing(NUMBERS[mother])),
        communication("c", "mother"),
        patient("mother", NUMBERS[mother], links),
        *relations,
        *children,
        count,
        more,
        root=False,
    )
