"""The fields of one GRO death registration: the mapping as data, and the reading of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from connectors.sources._xml import Element
from connectors.sources.base import NOT_IN_ANNULMENT, Cleansing, FieldMapping, RecordError, SourceContext, new_head

SYSTEM = "gro-death-extract"
ZONE = ZoneInfo("Europe/London")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "1": ("CORRECTED", "formal_correction"),
        "2": ("CORRECTED", "quality_assurance"),
        "3": ("CORRECTED", "typographical"),
        "4": ("ANNULLED", "cancelled"),
        "5": ("REINSTATED", "cancellation_removed"),
    }
)
"""RecordUpdateReason to change and reason. A code that is not here is refused: it may be a cancellation."""

SEXES: Mapping[str, str] = MappingProxyType({"1": "MALE", "2": "FEMALE", "9": "NOT_SPECIFIED"})

MAPPING = (
    FieldMapping("RegistrationID", "record_id, subject (scheme gro_registration)", "digits"),
    FieldMapping("RecordUpdateDateTime", "recorded_at", "of an update; wall-clock time in Europe/London"),
    FieldMapping("RecordLockedDateTime", "locked_at, and recorded_at of a new record", "likewise"),
    FieldMapping(
        "RecordUpdateReason",
        "change, reason",
        "; ".join(f"{code}: {change}, {reason}" for code, (change, reason) in REASONS.items()) + "; absent: CREATED",
    ),
    FieldMapping("RegistrationType", "(not carried)", "no meaning is published for its codes"),
    FieldMapping("DeceasedName", "deceased.names (OFFICIAL)", "an empty suffix is absent"),
    FieldMapping("DeceasedAliasName", "deceased.aliases (ALIAS)", "in order"),
    FieldMapping(
        "DeceasedAliasNameType", "deceased.alias_types", "in order; may be fewer than the aliases: not paired"
    ),
    FieldMapping("DeceasedMaidenName", "deceased.maiden_names", "in order; a person may have several"),
    FieldMapping("DeceasedGender", "deceased.sex", "; ".join(f"{code}: {sex}" for code, sex in SEXES.items())),
    FieldMapping("DeceasedDeathDate", "occurred_on", "PersonDeathDate, and VerificationLevel as verification"),
    FieldMapping("PartialMonthOfDeath, PartialYearOfDeath", "occurred_on", "where there is no whole date"),
    FieldMapping(
        "FreeFormatDeathDate, QualifierText",
        "occurred_on.text, or deceased.date_of_death_text",
        "the latter where there is no year",
    ),
    FieldMapping("DeceasedBirthDate", "deceased.date_of_birth", "PersonBirthDate and VerificationLevel"),
    FieldMapping("PartialMonthOfBirth, PartialYearOfBirth", "deceased.date_of_birth", "where there is no whole date"),
    FieldMapping("FreeFormatBirthDate", "deceased.date_of_birth.text, or deceased.date_of_birth_text", "likewise"),
    FieldMapping("DeceasedAddress", "usual_residence (HOME)", "Flat, Building and Line as lines; no country is said"),
)

Part = TypeVar("Part")
_NO_DATE: tuple[dict[str, Any] | None, str | None] = (None, None)
_NAMING = frozenset({"RegistrationID", "RecordUpdateReason", "RecordUpdateDateTime"})
"""Elements that say which cancellation it is."""
_REPEATED = frozenset({"DeceasedAliasName", "DeceasedAliasNameType", "DeceasedMaidenName"})
_KNOWN = frozenset(name.strip() for each in MAPPING for name in each.source.split(","))


def read_registration(
    children: list[Element], context: SourceContext
) -> tuple[dict[str, Any], str, tuple[Cleansing, ...]]:
    """The event of a registration, without its id, the message id, and what was left out of a cancellation because it
    cannot be read. Raises RecordError where it cannot be an event."""
    one, many, faults = _by_name(children)
    registration = _text(one.get("RegistrationID"))
    if registration is None or not (registration.isascii() and registration.isdigit()) or len(registration) > 20:
        raise RecordError("RegistrationID", "registration-id", "a registration has an id of 1 to 20 digits")
    change, reason = _change(one)
    read = _Reader(change == "ANNULLED")
    for fault in faults:
        read.fault(fault, fault.field in _NAMING)
    locked = read.part(lambda: _instant(one, "RecordLockedDateTime"), None)
    updated = read.part(lambda: _instant(one, "RecordUpdateDateTime"), None)
    message_id = (
        f"{registration}/{_text(one.get('RecordUpdateDateTime')) or _text(one.get('RecordLockedDateTime')) or ''}"
    )
    born, born_text = read.part(lambda: _date(one, "Birth", "FreeFormatBirthDate"), _NO_DATE)
    died, died_text = read.part(lambda: _date(one, "Death", "FreeFormatDeathDate", "QualifierText"), _NO_DATE)
    event = new_head(context, SYSTEM, message_id) | {
        "change": change,
        "reason": reason,
        "record_id": registration,
        "recorded_at": updated if updated is not None else locked,
        "occurred_on": died,
        "subject": {"scheme": "gro_registration", "value": registration},
    }
    event["deceased"] = {
        "names": [_name(one["DeceasedName"], "OFFICIAL")] if "DeceasedName" in one else [],
        "aliases": [_name(each, "ALIAS") for each in many["DeceasedAliasName"]],
        "alias_types": [each.text for each in many["DeceasedAliasNameType"] if each.text],
        "maiden_names": [each.text for each in many["DeceasedMaidenName"] if each.text],
        "sex": read.part(lambda: _code(one, "DeceasedGender", SEXES.get), None),
        "date_of_birth": born,
        "date_of_birth_text": born_text,
        "date_of_death_text": died_text,
        "place_of_birth": None,
        "occupation": None,
    }
    event["usual_residence"] = _address(one["DeceasedAddress"]) if "DeceasedAddress" in one else None
    event["locked_at"] = locked
    return event, message_id, tuple(read.left_out)


class _Reader:
    """Reads parts of a registration. Of a cancellation only what names it can refuse it, or a living person stays dead
    over a date. Source: DESIGN.md, "Events"."""

    def __init__(self, annuls: bool) -> None:
        self._annuls = annuls
        self.left_out: list[Cleansing] = []

    def part(self, read: Callable[[], Part], absent: Part) -> Part:
        """A part, or `absent` where it cannot be read and may be left out."""
        try:
            return read()
        except RecordError as error:
            self.fault(error, names_it=False)
            return absent

    def fault(self, error: RecordError, names_it: bool) -> None:
        """Raises the error, or notes what is left out because of it."""
        if names_it or not self._annuls:
            raise error
        self.left_out.append(Cleansing(error.field, NOT_IN_ANNULMENT.name))


def _by_name(children: list[Element]) -> tuple[dict[str, Element], dict[str, list[Element]], list[RecordError]]:
    """The elements that stand once, those that may stand often, and what may not stand here."""
    one: dict[str, Element] = {}
    many: dict[str, list[Element]] = {name: [] for name in _REPEATED}
    faults: list[RecordError] = []
    for child in children:
        if child.name in _REPEATED:
            many[child.name].append(child)
        elif child.name not in _KNOWN:
            faults.append(RecordError(child.name, "unknown-element", "the format has no such element"))
        elif child.name in one:
            faults.append(RecordError(child.name, "repeated-element", "the element may stand once only"))
        else:
            one[child.name] = child
    return one, many, faults


def _change(one: Mapping[str, Element]) -> tuple[str, str | None]:
    if _text(one.get("RecordUpdateReason")) is None:
        if _text(one.get("RecordUpdateDateTime")) is not None:
            raise RecordError("RecordUpdateReason", "required", "an update says its reason: it may be a cancellation")
        return "CREATED", None
    found: tuple[str, str] = _code(one, "RecordUpdateReason", REASONS.get)
    return found


def _code(one: Mapping[str, Element], name: str, table: Callable[[str], Any]) -> Any:
    code = _text(one.get(name))
    if code is None:
        return None
    found = table(code)
    if found is None:
        raise RecordError(name, "unknown-code", "the code is not in the connector's declared table")
    return found


def _instant(one: Mapping[str, Element], name: str) -> int | None:
    """Milliseconds since 1970 UTC of a time that is London's unless it says otherwise; of an hour that comes twice,
    the first."""
    text = _text(one.get(name))
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RecordError(name, "date-time", "not an ISO 8601 date and time") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZONE)
    return int((at - _EPOCH).total_seconds() * 1000)


def _date(one: Mapping[str, Element], what: str, *text_names: str) -> tuple[dict[str, Any] | None, str | None]:
    """A PartialDate and, where there is none to carry them, the words. A day that does not exist is the exchange's to
    refuse."""
    words = "; ".join(filter(None, (_text(one.get(name)) for name in text_names))) or None
    year = month = day = verification = None
    whole = one.get(f"Deceased{what}Date")
    if whole is not None:
        parts = {child.name: child for child in whole.children}
        written = _text(parts.get(f"Person{what}Date"))
        verification = _text(parts.get("VerificationLevel"))
        if written is not None:
            year, month, day = _whole(written, f"Deceased{what}Date.Person{what}Date")
    if year is None:
        year, month = _number(one, f"PartialYearOf{what}"), _number(one, f"PartialMonthOf{what}")
    if year is None:
        if month is not None:
            raise RecordError(f"PartialYearOf{what}", "required", "a month stands without its year")
        return None, words
    partial = {"year": year, "month": month, "day": day, "time": None, "zone": None}
    return partial | {"text": words, "verification": verification}, None


def _whole(text: str, name: str) -> tuple[int, int, int]:
    parts = text.split("-")
    if [len(part) for part in parts] != [4, 2, 2] or not all(part.isascii() and part.isdigit() for part in parts):
        raise RecordError(name, "date", "not a date of the form YYYY-MM-DD")
    return int(parts[0]), int(parts[1]), int(parts[2])


def _number(one: Mapping[str, Element], name: str) -> int | None:
    text = _text(one.get(name))
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise RecordError(name, "number", "not a number of at most four digits")
    return int(text)


def _name(element: Element, use: str) -> dict[str, Any]:
    texts: dict[str, list[str]] = {}
    for child in element.children:
        texts.setdefault(child.name, []).extend([child.text] if child.text else [])
    return {
        "use": use,
        "prefix": _first(texts, "PersonNameTitle"),
        "given": texts.get("PersonGivenName", []),
        "family": _first(texts, "PersonFamilyName"),
        "suffix": _first(texts, "PersonNameSuffix"),
        "period": None,
    }


def _address(element: Element) -> dict[str, Any]:
    lines = [child.text for child in element.children if child.name in ("Flat", "Building", "Line") and child.text]
    postcode = next((child.text for child in element.children if child.name == "Postcode" and child.text), None)
    return {"use": "HOME", "lines": lines, "postcode": postcode, "country": None, "period": None}


def _first(texts: Mapping[str, list[str]], name: str) -> str | None:
    return next(iter(texts.get(name, ())), None)


def _text(element: Element | None) -> str | None:
    return element.text or None if element is not None else None
