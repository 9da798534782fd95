"""Code tables of the FHIR STU3 messages: closed, each from its published code system. A code outside is refused."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NAME_USES: Mapping[str, str] = MappingProxyType(
    {
        "official": "OFFICIAL",
        "usual": "USUAL",
        "maiden": "MAIDEN",
        "old": "OLD",
        "nickname": "NICKNAME",
        "temp": "TEMPORARY",
        "anonymous": "ANONYMOUS",
    }
)
"""Source: FHIR STU3 NameUse."""

ADDRESS_USES: Mapping[str, str] = MappingProxyType({"home": "HOME", "work": "WORK", "temp": "TEMPORARY", "old": "OLD"})
"""Source: FHIR STU3 AddressUse."""

SEXES: Mapping[str, str] = MappingProxyType(
    {"male": "MALE", "female": "FEMALE", "other": "INDETERMINATE", "unknown": "NOT_KNOWN"}
)
"""Source: FHIR STU3 AdministrativeGender."""

CONFIDENTIALITY: Mapping[str, str] = MappingProxyType(
    {"U": "NONE", "L": "NONE", "M": "NONE", "N": "NONE", "R": "LOCATION", "V": "FULL"}
)
"""Source: HL7 v3 Confidentiality. The Personal Demographics Service marks a record whose address is sensitive as R
(restricted) and one that nobody may see as V (very restricted)."""

_NHS = "https://fhir.nhs.uk/STU3/CodeSystem/"
_CARE = "https://fhir.hl7.org.uk/STU3/"


def _care_connect(name: str) -> frozenset[str]:
    """CareConnect's systems are written with and without `CodeSystem/`; the NHS's own examples do both."""
    return frozenset({f"{_CARE}{name}", f"{_CARE}CodeSystem/{name}"})


MESSAGE_TYPE_SYSTEM = frozenset({f"{_NHS}MessageEventType-1"})
DEATH_STATUS_SYSTEM = _care_connect("CareConnect-DeathNotificationStatus-1")
STILLBIRTH_SYSTEM = frozenset({f"{_NHS}EMS-PDS-StillBornIndicator-1"})
ANOMALY_SYSTEM = frozenset({f"{_NHS}EMS-PDS-SuspectedCongenitalAbnormalityIndicator-1"})
VERIFICATION_SYSTEM = _care_connect("CareConnect-NHSNumberVerificationStatus-1")
ETHNICITY_SYSTEM = _care_connect("CareConnect-EthnicCategory-1")
ORGANISATION_SYSTEMS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "delivery_place": frozenset({f"{_NHS}EMS-PDS-DeliveryPlaceType-1"}),
        "registering_authority": frozenset({f"{_NHS}EMS-PDS-RegisteringAuthorityType-1"}),
    }
)
"""In which code system an organisation's type stands, by its role; of another role none is taken."""

DEATH_STATUSES: Mapping[str, str] = MappingProxyType({"1": "INFORMAL", "2": "FORMAL", "U": "REMOVED"})
"""Source: CareConnect-DeathNotificationStatus-1."""

STILLBIRTHS: Mapping[str, bool] = MappingProxyType({"1": False, "2": True, "3": True, "4": True})
"""Live; stillbirth ante-partum, intra-partum, indeterminate. Source: EMS-PDS-StillBornIndicator-1."""

ANOMALIES: Mapping[str, bool | None] = MappingProxyType({"N": False, "Y": True, "U": None})
"""No; yes; uncertain. Source: EMS-PDS-SuspectedCongenitalAbnormalityIndicator-1."""

VERIFIED: Mapping[str, bool] = MappingProxyType(
    {"01": True} | dict.fromkeys(("02", "03", "04", "05", "06", "07", "08"), False)
)
"""01: number present and verified. Source: CareConnect-NHSNumberVerificationStatus-1, after the NHS Data Dictionary's
NHS NUMBER STATUS INDICATOR CODE, 01 to 08."""

BIRTH_ROLES: Mapping[str, str] = MappingProxyType(
    {
        "delivery-place": "delivery_place",
        "registering-authority": "registering_authority",
        "responsible-child-health-organisation": "responsible_child_health",
        "partner-child-health-organisation": "partner_child_health",
    }
)
"""Source: BirthEpisodeCategory-1."""
