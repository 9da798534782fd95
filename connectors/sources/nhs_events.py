"""The NHS events service's messages about people (FHIR STU3 XML): births, deaths, addresses, practices, record changes.

Source: nhsconnect/Events-Management (National Events Management Service), "Generic Requirements" and the page of each
PDS message; HL7 FHIR Release 3.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

from connectors.sources._cleanse import COUNTRY, NHS_NUMBER, WHITE_SPACE, cleanse
from connectors.sources._fhir_bundle import Message, messages
from connectors.sources._nhs_header import open_letter
from connectors.sources._nhs_mapping import MAPPING
from connectors.sources._nhs_messages import read_message
from connectors.sources._xml import HostileFile
from connectors.sources.base import (
    EVENT_ID_NAMESPACE,
    NOT_IN_ANNULMENT,
    Cleansing,
    Outcome,
    RecordError,
    RefusedRecord,
    SourceContext,
    SourceRecord,
    SourceSpec,
    finish_event,
)
from tidings.errors import Problem

CLEANSING = (WHITE_SPACE, COUNTRY, NHS_NUMBER, NOT_IN_ANNULMENT)


class NhsEvents:
    """Makes an event of each message, of a birth one a child. A record is a message, and of a birth a child."""

    spec: ClassVar[SourceSpec] = SourceSpec(
        name="nhs-events",
        version="1",
        summary="Messages of the NHS events service about people, as FHIR STU3 XML: one message a file, or a Bundle of "
        "type collection with a message Bundle in each entry.",
        event_types=(
            "address-changed",
            "birth-notified",
            "death-notified",
            "gp-registration-changed",
            "record-changed",
        ),
        time_zone="each time carries its offset, or is refused; a date carries none",
        extensions=(".xml",),
        signatures=(b'"http://hl7.org/fhir"', b"'http://hl7.org/fhir'"),
        mapping=MAPPING,
        cleansing=CLEANSING,
    )

    def read(self, file: BinaryIO, context: SourceContext) -> Iterator[Outcome]:
        """See `Source.read`."""
        number = 0
        try:
            for message in messages(file):
                for outcome in _outcomes(message, number, context):
                    number += 1
                    yield outcome
        except HostileFile as refusal:
            message_text = f"{refusal.message}; the {number} records before it were read"
            problem = Problem(context.file, refusal.line, refusal.field, refusal.rule, message_text)
            yield RefusedRecord(0, problem)


def _outcomes(message: Message, before: int, context: SourceContext) -> list[Outcome]:
    """What a message is: all its events, or one refusal."""
    try:
        letter = open_letter(message)
        made = read_message(letter, context)
    except RecordError as error:
        return [_refused(before + 1, message.line, error, context)]
    found: list[Outcome] = []
    for number, (event_type, event, left_out) in enumerate(made, start=before + 1):
        try:
            cleansed = left_out + _finish(event_type, event, len(made), letter.message_id)
        except RecordError as error:
            found.append(_refused(number, message.line, error, context))
        else:
            found.append(SourceRecord(number, message.line, event_type, event, cleansed))
    return found


def _refused(number: int, line: int, error: RecordError, context: SourceContext) -> RefusedRecord:
    said = f"record {number}: {error.message}"
    return RefusedRecord(number, Problem(context.file, line, error.field, error.rule, said))


def _finish(event_type: str, event: dict[str, Any], siblings: int, message_id: str) -> tuple[Cleansing, ...]:
    """Cleanse a new event and give it its ids. Raises RecordError where a value may not go on."""
    cleansed = cleanse(event, CLEANSING)
    event["record_id"] = event["subject"]["value"]
    if event_type == "birth-notified":
        event["life_event_id"] = _delivery(event, siblings)
    return cleansed + finish_event(event["source"]["system"], message_id, event)


def _delivery(event: dict[str, Any], siblings: int) -> str | None:
    """Joins the children of one delivery: the same for each, whichever message it came in; None for an only child."""
    mother, born = event["related"][0]["subject"], event["child"]["date_of_birth"]
    if siblings == 1 and (event["births_at_delivery"] or 1) < 2 and (event["birth_order"] or 1) < 2:
        return None
    if mother is not None and born is not None:
        day = "-".join(str(born[part]) for part in ("year", "month", "day"))
        return str(uuid.uuid5(EVENT_ID_NAMESPACE, f"delivery\x1f{mother['scheme']}\x1f{mother['value']}\x1f{day}"))
    source = event["source"]
    message = f"delivery\x1f{source['system']}\x1f{source['batch_id']}\x1f{source['ref']}"
    return str(uuid.uuid5(EVENT_ID_NAMESPACE, message)) if siblings > 1 else None
