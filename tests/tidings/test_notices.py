"""Notices and quarantine records as bytes."""

from __future__ import annotations

from dataclasses import fields, replace

from tidings.errors import Finding, ReasonCode, Severity
from tidings.notices import Notice, NoticeOutcome, decode_notice, encode_notice, notice_key
from tidings.quarantine import QuarantineRecord, decode_quarantine, encode_quarantine, quarantine_key

NOTICE = Notice(
    outcome=NoticeOutcome.REJECTED,
    inbox="inbox.a.b",
    partition=1,
    offset=5,
    event_id="6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0",
    schema_id=7,
    findings=(Finding(ReasonCode.NULL_KEY), Finding(ReasonCode.DATE_ORDER, "recorded_at", Severity.FLAG)),
    policy_version=2,
    decided_at_ms=1_780_000_000_000,
)
RECORD = QuarantineRecord("inbox.a.b", 1, 5, "internal", "KeyError", "tidings.x:3", 2, 1_780_000_000_000, "worker-1")


def test_a_notice_survives_the_round_trip() -> None:
    """Every field comes back, absent ones too."""
    for notice in (NOTICE, replace(NOTICE, event_id=None, schema_id=None, late=True)):
        assert notice == decode_notice(encode_notice(notice, 3))


def test_a_notice_is_keyed_by_event_or_by_coordinates() -> None:
    """An event without an id is found by where it stands."""
    assert notice_key(NOTICE) == b"6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"
    assert notice_key(replace(NOTICE, event_id=None)) == b"inbox.a.b/1/5"


def test_a_quarantine_record_survives_the_round_trip_and_has_no_room_for_a_value() -> None:
    """It holds coordinates, a code and where our code failed; no field could take the event or a message."""
    assert decode_quarantine(encode_quarantine(RECORD, 3)) == RECORD
    assert quarantine_key(RECORD) == b"inbox.a.b/1/5"
    assert not {field.name for field in fields(RECORD)} & {"value", "key", "message", "text"}
