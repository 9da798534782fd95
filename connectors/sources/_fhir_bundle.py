"""Messages out of a file: a Bundle of type `message` is one, a Bundle of type `collection` holds one in each entry.

One message is in memory at a time. Source: FHIR STU3, Bundle; the NHS sends one message a file, and a day's messages
are put together as a collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from connectors.sources._fhir import many, one, value
from connectors.sources._xml import MAX_RECORD_BYTES, Element, HostileFile, XmlRecords
from connectors.sources.base import RecordError

MESSAGE, COLLECTION = "message", "collection"
_MAX_DEPTH = 24
_CHILDREN = ("id", "meta", "implicitRules", "language", "identifier", "type", "total", "link", "entry", "signature")


@dataclass(frozen=True, slots=True)
class Message:
    """The children of one message Bundle, which starts at `line`."""

    line: int
    bundle: Element

    def entries(self) -> list[Element]:
        """Its entries, the header's first. Raises RecordError where it is no message."""
        if value(one(self.bundle, "type")) != MESSAGE:
            raise RecordError("Bundle.type", "bundle-type", "a message is a Bundle of type message")
        entries = many(self.bundle, "entry")
        resources = [resource for entry in entries[:1] for resource in many(entry, "resource")]
        if not any(resource.children and resource.children[0].name == "MessageHeader" for resource in resources):
            raise RecordError("Bundle.entry", "message-header", "a message begins with its MessageHeader")
        return entries


def messages(file: BinaryIO) -> Iterator[Message]:
    """Every message of a file, in order. Raises HostileFile where the rest cannot be read; of a message that is not
    whole nothing comes."""
    records = XmlRecords(file, "Bundle", _CHILDREN, _MAX_DEPTH)
    kind: str | None = None
    children: list[Element] = []
    for element, line in records:
        if element.name == "type":
            kind = _kind(kind, element, line)
        elif element.name == "entry" and kind is None:
            raise HostileFile(line, "Bundle.type", "bundle-type", "the Bundle's type stands before its entries")
        if kind == COLLECTION and element.name == "entry":
            yield Message(line, _inner(element))
        elif kind != COLLECTION:
            children.append(element)
            if records.bytes_read > MAX_RECORD_BYTES:
                raise HostileFile(
                    line, "Bundle", "record-too-large", f"a message is larger than {MAX_RECORD_BYTES} bytes"
                )
    if kind is None:
        raise HostileFile(0, "Bundle.type", "bundle-type", "the Bundle says no type")
    if kind == MESSAGE:
        yield Message(1, Element("Bundle", "", children, {}))


def _kind(before: str | None, element: Element, line: int) -> str:
    kind = value(element)
    if before is not None or kind not in (MESSAGE, COLLECTION):
        message = f"a Bundle has one type, {MESSAGE} or {COLLECTION}"
        raise HostileFile(line, "Bundle.type", "bundle-type", message)
    return kind


def _inner(entry: Element) -> Element:
    """The Bundle in an entry of a collection; one without a type where something else stands there."""
    resources = [child for resource in many(entry, "resource") for child in resource.children]
    return resources[0] if len(resources) == 1 and resources[0].name == "Bundle" else Element("Bundle", "", [], {})
