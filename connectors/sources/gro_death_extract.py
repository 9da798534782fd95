"""The General Register Office's death extract: XML, one `DeathRegistration` a record, partial dates, update reasons.

Source: the extract's element names as in govuk-one-login/life-events-platform (MIT), whose
`DeathRegistrationUpdateReasonType` names reasons 1 to 5 and whose `GenderAtRegistration` names genders 1, 2 and 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

from connectors.sources._cleanse import WHITE_SPACE, cleanse
from connectors.sources._gro_fields import MAPPING, SYSTEM, read_registration
from connectors.sources._xml import HostileFile, XmlRecords
from connectors.sources.base import (
    NOT_IN_ANNULMENT,
    Outcome,
    RecordError,
    RefusedRecord,
    SourceContext,
    SourceRecord,
    SourceSpec,
    finish_event,
)
from tidings.errors import Problem

EVENT_TYPE = "death-registered"
CLEANSING = (WHITE_SPACE, NOT_IN_ANNULMENT)
ROOT, RECORD, COUNT = "DeathRegistrationGroup", "DeathRegistration", "RecordCount"


class GroDeathExtract:
    """Makes one `death-registered` of each registration; the trailing RecordCount is held against what was read."""

    spec: ClassVar[SourceSpec] = SourceSpec(
        name="gro-death-extract",
        version="1",
        summary="Death registrations, corrections and cancellations from the General Register Office's XML extract.",
        event_types=(EVENT_TYPE,),
        time_zone="Europe/London (RecordUpdateDateTime and RecordLockedDateTime carry no zone)",
        extensions=(".xml",),
        signatures=(b"DeathRegistrationGroup",),
        mapping=MAPPING,
        cleansing=CLEANSING,
    )

    def read(self, file: BinaryIO, context: SourceContext) -> Iterator[Outcome]:
        """See `Source.read`."""
        number, counted = 0, False
        records = XmlRecords(file, ROOT, (RECORD, COUNT))
        try:
            for element, line in records:
                if element.name == RECORD:
                    number += 1
                    yield _outcome(number, line, element.children, context)
                else:
                    counted = True
                    if element.text != str(number):
                        message = f"the file says another number of records than the {number} that stand in it"
                        yield _file_refused(context, line, COUNT, "record-count", message)
        except HostileFile as refusal:
            message = f"{refusal.message}; the {number} records before it were read"
            yield _file_refused(context, refusal.line, refusal.field, refusal.rule, message)
            return
        if not counted:
            message = f"the file does not say how many records it has; {number} were read, and it may be cut off"
            yield _file_refused(context, 0, COUNT, "record-count", message)


def _outcome(number: int, line: int, children: list[Any], context: SourceContext) -> Outcome:
    try:
        event, message_id, left_out = read_registration(children, context)
        cleansed = left_out + cleanse(event, CLEANSING) + finish_event(SYSTEM, message_id, event)
    except RecordError as error:
        message = f"record {number}: {error.message}"
        return RefusedRecord(number, Problem(context.file, line, f"{RECORD}.{error.field}", error.rule, message))
    return SourceRecord(number, line, EVENT_TYPE, event, cleansed)


def _file_refused(context: SourceContext, line: int, field: str, rule: str, message: str) -> RefusedRecord:
    return RefusedRecord(0, Problem(context.file, line, field, rule, message))
