"""What each reason code says to a person, in a few words that a line can end with."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.errors import ReasonCode

REASONS: Mapping[ReasonCode, str] = {
    ReasonCode.NULL_KEY: "the record has no key",
    ReasonCode.NULL_VALUE: "the record has no value",
    ReasonCode.WIRE_FORMAT: "the value does not begin with the Confluent wire format's five bytes",
    ReasonCode.SCHEMA_UNKNOWN: "the schema id is not one that the policy takes in this inbox",
    ReasonCode.UNDECODABLE: "the value is not an event of the schema that it names",
    ReasonCode.KEY_MISMATCH: "the key is not `scheme:value` of the event's subject",
    ReasonCode.PARTITION_MISMATCH: "the record is not in the partition that murmur2 of its key gives",
    ReasonCode.SOURCE_MISMATCH: "`source.agency` is not the agency of the inbox",
    ReasonCode.ENVIRONMENT_MISMATCH: "the event is real where made-up ones are taken, or the other way round",
    ReasonCode.SUBJECT_MISMATCH: "it names another person than the rest of the message",
    ReasonCode.EVENT_ID_INVALID: "`event_id` is not a uuid in the usual form",
    ReasonCode.EVENT_ID_REUSED: "another event in this partition's window has the id; a mended event needs a new one",
    ReasonCode.EVENT_TOO_LARGE: "the event, or a view of it, is larger than its topic takes",
    ReasonCode.PUBLISHER_STOPPED: "the publisher was stopped by an operator",
    ReasonCode.CHECKSUM_INVALID: "an identifier's length or check digits are not those of its scheme",
    ReasonCode.CODE_UNKNOWN: "the code is not in the reference list",
    ReasonCode.DATE_IMPOSSIBLE: "the calendar has no such date",
    ReasonCode.DATE_IN_FUTURE: "the date is in the future",
    ReasonCode.DATE_ORDER: "the date is after one that it cannot be after, or before one that it cannot be before",
    ReasonCode.PATTERN_MISMATCH: "the text is not of the form that the field has",
    ReasonCode.REQUIRED_MISSING: "the field is needed here and has no value",
    ReasonCode.SPREADSHEET_DATE: "the date is one that spreadsheets make of a year",
    ReasonCode.INTERNAL: "our own code failed on the event; it is in quarantine",
}
"""Every code."""
