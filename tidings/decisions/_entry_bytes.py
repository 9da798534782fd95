"""One entry of a decision block as Avro, field by field: `ENTRY_SCHEMA` written out, since every event has one.

Source: Avro 1.12 specification, "Binary Encoding". The tests hold it to fastavro and the schema.
"""

from __future__ import annotations

from functools import lru_cache

from tidings.decisions._model import AgreementOutcome, Entry, Outcome, ViewOutcome
from tidings.errors import Finding, Severity
from tidings.wire import sized, zigzag

_NULL, _SOME, _END = b"\x00", b"\x02", b"\x00"
_FALSE, _TRUE = b"\x00", b"\x01"
_TAG_BYTES = 16
_OUTCOMES = {outcome: zigzag(at) for at, outcome in enumerate(Outcome)}
_VIEW_OUTCOMES = {outcome: zigzag(at) for at, outcome in enumerate(ViewOutcome)}
_SEVERITIES = {Severity.REJECT: zigzag(0), Severity.FLAG: zigzag(1)}


def encode_entry(entry: Entry) -> bytes:
    """One entry as Avro. Raises ValueError where a tag or commitment has not 16 bytes or a number more than 64 bits."""
    return b"".join(
        (
            zigzag(entry.offset),
            _NULL if entry.event_id is None else _SOME + _text(entry.event_id),
            _maybe_tag(entry.subject_tag),
            _name(entry.tag_epoch),
            _NULL if entry.change is None else _SOME + _name(entry.change),
            _maybe_long(entry.record_version),
            _maybe_long(entry.received_at_ms),
            _OUTCOMES[entry.outcome],
            _TRUE if entry.flagged else _FALSE,
            _TRUE if entry.late else _FALSE,
            _array(entry.findings, b"".join(map(_finding, entry.findings))),
            _array(entry.agreements, b"".join(map(_agreement, entry.agreements))),
            _NULL if entry.publisher_signature is None else _SOME + sized(entry.publisher_signature),
        )
    )


def _agreement(made: AgreementOutcome) -> bytes:
    return b"".join(
        (
            _name(made.agreement),
            _VIEW_OUTCOMES[made.outcome],
            _maybe_long(made.sequence),
            _maybe_tag(made.commitment),
        )
    )


def _finding(finding: Finding) -> bytes:
    return _text(finding.code.value) + _text(finding.path) + _SEVERITIES[finding.severity]


def _array(items: tuple[object, ...], encoded: bytes) -> bytes:
    return zigzag(len(items)) + encoded + _END if items else _END


def _text(text: str) -> bytes:
    return sized(text.encode())


@lru_cache(maxsize=4_096)
def _name(text: str) -> bytes:
    """A text of which there are few: a feed, a month, a kind of change."""
    return _text(text)


def _maybe_long(number: int | None) -> bytes:
    return _NULL if number is None else _SOME + zigzag(number)


def _maybe_tag(tag: bytes | None) -> bytes:
    if tag is None:
        return _NULL
    if len(tag) != _TAG_BYTES:
        raise ValueError("a tag has 16 bytes")
    return _SOME + tag
