"""The field table of the NHS event messages, for the reference page."""

from __future__ import annotations

from connectors.sources._fhir_codes import (
    ANOMALIES,
    BIRTH_ROLES,
    CONFIDENTIALITY,
    DEATH_STATUSES,
    SEXES,
    STILLBIRTHS,
    VERIFIED,
)
from connectors.sources.base import FieldMapping


def _table(codes: object) -> str:
    assert hasattr(codes, "items")  # noqa: S101 -- the tables of this module are mappings
    return "; ".join(f"{code}: {'(null)' if to is None else to}" for code, to in codes.items())


MAPPING = (
    FieldMapping(
        "MessageHeader.event",
        "(event type)",
        "pds-birth-notification-1: birth-notified; pds-change-of-address-1: address-changed; pds-change-of-gp-1: "
        "gp-registration-changed; pds-death-notification-1: death-notified; pds-record-change-1: record-changed; "
        "any other is refused",
    ),
    FieldMapping(
        "MessageHeader.extension messageEventType",
        "change",
        "update: CORRECTED; delete: ANNULLED; new: CREATED of a birth and an informal death, else CHANGED (a formal "
        "death, an address, a practice, a record), ENDED where a practice is left for none. The NHS itself sends "
        "these messages as new only",
    ),
    FieldMapping("Bundle.id", "source.batch_id"),
    FieldMapping("MessageHeader.id", "source.ref, and in event_id with the content", "real feeds use an id again"),
    FieldMapping("MessageHeader.source.endpoint", "source.system"),
    FieldMapping("MessageHeader.meta.lastUpdated", "recorded_at", "null where the message does not say"),
    FieldMapping("MessageHeader.meta.versionId", "message.sequence", "where it is a number"),
    FieldMapping("MessageHeader.timestamp", "message.sent_at; occurred_on of gp-registration-changed", "the day only"),
    FieldMapping(
        "MessageHeader.extension routingDemographics",
        "message.routed_to",
        "NHS number and date of birth; whoever they name is never taken for the subject. Names are not carried",
    ),
    FieldMapping("MessageHeader.focus, Communication.subject", "(followed)", "to the patient of the message"),
    FieldMapping("MessageHeader.responsible", "notified_by of death-notified"),
    FieldMapping("MessageHeader.enterer", "related, role notifier", "birth-notified"),
    FieldMapping("Communication.status", "(verified)", "other than completed is refused"),
    FieldMapping("Communication.sent", "communicated_on"),
    FieldMapping(
        "meta.security of Bundle, header, communication, patient",
        "protection",
        f"the strongest; v3 Confidentiality {_table(CONFIDENTIALITY)}; any other label is refused",
    ),
    FieldMapping("Patient.meta.versionId", "record_version", "the serial change number, where it is a number"),
    FieldMapping(
        "Patient.identifier",
        "subject, record_id, identifiers (scheme nhs_number)",
        "exactly one NHS number whose use is not old; of a birth the child's. The record is the person's entry in the "
        f"Personal Demographics Service. Verification status {_table(VERIFIED)}",
    ),
    FieldMapping(
        "Patient.name",
        "names of person, child, mother",
        "given in order; no use: UNKNOWN; a name that is not split (text alone) stands whole in family",
    ),
    FieldMapping("Patient.gender", "sex", _table(SEXES)),
    FieldMapping("Patient.birthDate", "date_of_birth; occurred_on of birth-notified where no birthTime is given"),
    FieldMapping("Patient.birthDate extension birthTime", "occurred_on of birth-notified", "with time and offset"),
    FieldMapping("Patient.deceasedDateTime", "occurred_on of death-notified; child.date_of_death of birth-notified"),
    FieldMapping(
        "Patient.extension deathNotificationStatus",
        "status of death-notified, death_status of birth-notified",
        f"{_table(DEATH_STATUSES)}; REMOVED is an annulment (reason status_removed) whatever the message type",
    ),
    FieldMapping("Patient.extension systemEffectiveDate", "effective_from"),
    FieldMapping(
        "Patient.address",
        "addresses; new_address and previous_addresses (use old) of address-changed",
        "line, city, district and state as lines, in this order; text where there is none of them; "
        "occurred_on of address-changed is the new one's period.start",
    ),
    FieldMapping("Patient.extension birthPlace", "child.place_of_birth"),
    FieldMapping("Patient.extension ethnicCategory", "child.ethnic_category", "CareConnect-EthnicCategory-1"),
    FieldMapping("Patient.multipleBirthInteger", "birth_order"),
    FieldMapping(
        "Patient.link, RelatedPerson.patient",
        "(followed)",
        "from the mother to each child: one event a child; where a delivery has several, life_event_id is derived from "
        "the mother's NHS number and the day, or from the message. Children born on two days, or of a mother without "
        "a number, in messages of their own, are not joined: nothing in the messages joins them",
    ),
    FieldMapping("Patient.generalPractitioner", "mother.general_practice; new_practice", "a resource or its address"),
    FieldMapping("Patient.extension registrationPeriod", "mother.registration_period"),
    FieldMapping(
        "Observation", "births_at_delivery, birth_weight_grams (g), gestation_weeks (wk), stillbirth, "
        "congenital_anomaly_suspected",
        f"by SNOMED CT code; one of each, final; stillbirth {_table(STILLBIRTHS)}; anomaly {_table(ANOMALIES)}",
    ),
    FieldMapping(
        "EpisodeOfCare, Organization",
        "organisations of birth-notified, previous_practice of gp-registration-changed",
        f"{_table(BIRTH_ROLES)}; code (ods_code), name, type, period",
    ),
    FieldMapping(
        "(every code)",
        "(verified)",
        "counts in its own code system alone: codes of other systems beside it are passed over, and where there are "
        "only such the message is refused (code-system), but for an organisation's type, which is then not taken",
    ),
    FieldMapping("Provenance.recorded", "provenance_recorded_on"),
    FieldMapping("Provenance.agent.whoReference", "changed_by", "an organisation; the patient by role patient alone"),
    FieldMapping(
        "Organization.partOf, HealthcareService, MessageHeader.source.contact, displays",
        "(not carried)",
        "who to telephone about a message is in the catalogue; a display repeats what a resource says",
    ),
)  # fmt: skip
