"""Reads FHIR STU3 XML: elements, datatypes and the references inside one message. Made for messages that nobody vouches
for: what may stand once stands once, and what would change a message's meaning unread refuses it.

Source: HL7 FHIR Release 3 (STU), datatypes and the XML representation; `value` is an attribute of every primitive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.sources._fhir_codes import ADDRESS_USES, CONFIDENTIALITY, NAME_USES
from connectors.sources._xml import Element
from connectors.sources.base import RecordError
from tidings.partial_dates import from_text

CONFIDENTIALITY_SYSTEM = "http://hl7.org/fhir/v3/Confidentiality"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE_TIME = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?\Z"
)  # a time has seconds and an offset; a day that does not exist is the exchange's to refuse
_RANKS = ("NONE", "LOCATION", "FULL")


def one(element: Element | None, name: str) -> Element | None:
    """The only child of a name; None where there is none. Raises RecordError where there are several."""
    found = many(element, name)
    if len(found) > 1:
        raise RecordError(name, "repeated-element", "the element may stand once only")
    return found[0] if found else None


def many(element: Element | None, name: str) -> list[Element]:
    """The children of a name, in order."""
    return [] if element is None else [child for child in element.children if child.name == name]


def value(element: Element | None) -> str | None:
    """A primitive's value; None where it is absent or blank."""
    return None if element is None else element.attributes.get("value", "").strip() or None


def text(element: Element | None, name: str) -> str | None:
    """The value of the only child of a name."""
    return value(one(element, name))


def extension(element: Element | None, *urls: str) -> Element | None:
    """The only extension with one of these urls."""
    found = [each for each in many(element, "extension") if each.attributes.get("url") in urls]
    if len(found) > 1:
        raise RecordError("extension", "repeated-element", "the extension may stand once only")
    return found[0] if found else None


def codes(concept: Element | None, system: str) -> list[str]:
    """A CodeableConcept's codes of one system."""
    found = (text(each, "code") for each in many(concept, "coding") if text(each, "system") == system)
    return [code for code in found if code is not None]


def code(concept: Element | None, systems: frozenset[str], field: str) -> str | None:
    """The code of a CodeableConcept in its own code system, which has one or more `systems` for names; None where
    nothing is coded. Codes of other systems beside it are passed over.

    Raises RecordError where all are of other systems, since a code means something in its own alone (FHIR STU3,
    "Coding": the system is never assumed), and where there are two codes.
    """
    codings = many(concept, "coding")
    found = {text(each, "code") for each in codings if text(each, "system") in systems} - {None}
    if len(found) > 1:
        raise RecordError(field, "repeated-element", "the code stands there twice, and differs")
    if codings and not found:
        raise RecordError(field, "code-system", "no code of the code system that the connector declares")
    return next(iter(found), None)


def table(found: str | None, known: Mapping[str, Any], field: str) -> Any:
    """What a declared table makes of a code; None where there is no code. Raises RecordError for an unknown code."""
    if found is None:
        return None
    if found not in known:
        raise RecordError(field, "unknown-code", "the code is not in the connector's declared table")
    return known[found]


def partial_date(written: str | None, field: str) -> dict[str, Any] | None:
    """The PartialDate of a FHIR date or dateTime. Raises RecordError where it is neither."""
    if written is None:
        return None
    parts = from_text(written) if _DATE_TIME.match(written) is not None else None
    if parts is None:
        raise RecordError(field, "date-time", "not a FHIR date, or a time without its offset")
    return parts


def instant(written: str | None, field: str) -> int | None:
    """Milliseconds since 1970 UTC of a FHIR instant. Raises RecordError where it is none."""
    if written is None:
        return None
    at = None
    if _DATE_TIME.match(written) is not None and "T" in written:
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            at = None
    if at is None:
        raise RecordError(field, "date-time", "not an instant that exists, with seconds and offset")
    return round((at - _EPOCH).total_seconds() * 1000)


def period(element: Element | None, field: str) -> dict[str, Any] | None:
    """The Period of a FHIR Period."""
    if element is None:
        return None
    return {end: partial_date(text(element, end), f"{field}.{end}") for end in ("start", "end")}


def human_name(element: Element) -> dict[str, Any]:
    """The Name of a HumanName. One that is not split (its text alone) stands whole in `family`."""
    given, family = _values(element, "given"), text(element, "family")
    return {
        "use": table(text(element, "use"), NAME_USES, "name.use") or "UNKNOWN",
        "prefix": " ".join(_values(element, "prefix")) or None,
        "given": given,
        "family": family if family or given else text(element, "text"),
        "suffix": " ".join(_values(element, "suffix")) or None,
        "period": period(one(element, "period"), "name.period"),
    }


def address(element: Element, use: str = "UNKNOWN") -> dict[str, Any]:
    """The Address of a FHIR Address; `use` is taken where it says none. City, district and state are lines, in order
    of writing; text stands for the lines where there are none."""
    lines = [
        *_values(element, "line"),
        *(each for part in ("city", "district", "state") for each in _values(element, part)),
    ]
    return {
        "use": table(text(element, "use"), ADDRESS_USES, "address.use") or use,
        "lines": lines or _values(element, "text"),
        "postcode": text(element, "postalCode"),
        "country": text(element, "country"),
        "period": period(one(element, "period"), "address.period"),
    }


def _values(element: Element, name: str) -> list[str]:
    return [found for each in many(element, name) if (found := value(each)) is not None]


def protection(elements: Iterable[Element | None]) -> str:
    """The strongest protection that the security labels of some resources ask for. Raises RecordError for a label that
    nobody declared: it may be the one that hides an address."""
    strongest = 0
    for element in elements:
        for label in many(one(element, "meta"), "security"):
            if text(label, "system") != CONFIDENTIALITY_SYSTEM:
                raise RecordError("meta.security", "unknown-code", "the label's system is not declared")
            strongest = max(strongest, _RANKS.index(table(text(label, "code") or "", CONFIDENTIALITY, "meta.security")))
    return _RANKS[strongest]


class Resources:
    """The resources of one message, each found by the references that lead to it."""

    def __init__(self, entries: list[Element]) -> None:
        self.in_order: list[Element] = []
        self._by_reference: dict[str, Element] = {}
        for entry in entries:
            resource = one(entry, "resource")
            if resource is None or len(resource.children) != 1:
                raise RecordError("entry.resource", "one-resource", "an entry holds one resource")
            [inner] = resource.children
            self.in_order.append(inner)
            named = {text(entry, "fullUrl"), f"urn:uuid:{text(inner, 'id')}"}
            for reference in named - {None, "urn:uuid:None"}:
                if self._by_reference.setdefault(str(reference), inner) is not inner:
                    raise RecordError("entry.fullUrl", "repeated-resource", "two resources have one address")

    def of(self, kind: str) -> list[Element]:
        """All resources of a kind, in order."""
        return [resource for resource in self.in_order if resource.name == kind]

    def follow(self, element: Element | None, kind: str, field: str) -> Element | None:
        """The resource that a Reference leads to; None where there is no Reference. Raises RecordError where it leads
        nowhere, or to another kind."""
        reference = text(element, "reference")
        if reference is None:
            return None
        found = self._by_reference.get(reference)
        if found is None or found.name != kind:
            raise RecordError(field, "reference-unresolved", f"the reference leads to no {kind} of this message")
        return found

    def leads_to(self, element: Element | None, resource: Element) -> bool:
        """Whether a Reference leads to this very resource."""
        return self._by_reference.get(text(element, "reference") or "") is resource


def refuse_what_changes_meaning(element: Element) -> None:
    """Raise RecordError where a message holds a modifier extension or implicit rules, at any depth.

    Source: FHIR STU3, "Extensibility": a reader that does not know a modifier must not process the resource.
    """
    for child in element.children:
        if child.name in ("modifierExtension", "implicitRules"):
            raise RecordError(child.name, "changes-meaning", "it may change what the message says, and is not known")
        refuse_what_changes_meaning(child)
