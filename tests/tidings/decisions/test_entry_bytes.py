"""An entry written field by field against the schema and another library's writer."""

from __future__ import annotations

import io
from dataclasses import replace

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.decisions import AgreementOutcome, Entry, Outcome, ViewOutcome, encode_entry
from tidings.decisions._schema import ENTRY_SCHEMA
from tidings.errors import Finding, ReasonCode, Severity

SCHEMA = fastavro.parse_schema(ENTRY_SCHEMA)
LONGS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**22))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
TAGS = st.binary(min_size=16, max_size=16)
FINDINGS = st.builds(Finding, st.sampled_from(ReasonCode), TEXTS, st.sampled_from(Severity))
AGREEMENTS = st.builds(AgreementOutcome, TEXTS, st.sampled_from(ViewOutcome), st.none() | LONGS, st.none() | TAGS)
ENTRIES = st.builds(
    Entry,
    offset=LONGS,
    outcome=st.sampled_from(Outcome),
    tag_epoch=TEXTS,
    event_id=st.none() | TEXTS,
    subject_tag=st.none() | TAGS,
    change=st.none() | TEXTS,
    record_version=st.none() | LONGS,
    received_at_ms=st.none() | LONGS,
    flagged=st.booleans(),
    late=st.booleans(),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    agreements=st.lists(AGREEMENTS, max_size=3).map(tuple),
    publisher_signature=st.none() | st.binary(max_size=80),
)


@given(ENTRIES)
def test_an_entry_is_what_fastavro_writes(entry: Entry) -> None:
    """Whatever its fields hold, byte for byte."""
    record = {
        "offset": entry.offset,
        "event_id": entry.event_id,
        "subject_tag": entry.subject_tag,
        "tag_epoch": entry.tag_epoch,
        "change": entry.change,
        "record_version": entry.record_version,
        "received_at": entry.received_at_ms,
        "outcome": entry.outcome.value,
        "flagged": entry.flagged,
        "late": entry.late,
        "findings": [{"code": f.code.value, "path": f.path, "severity": f.severity.value} for f in entry.findings],
        "agreements": [
            {"agreement": a.agreement, "outcome": a.outcome.value, "sequence": a.sequence, "commitment": a.commitment}
            for a in entry.agreements
        ],
        "publisher_signature": entry.publisher_signature,
    }
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, record)

    assert encode_entry(entry) == out.getvalue()


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject_tag": bytes(15)},
        {"offset": 2**63},
        {"agreements": (AgreementOutcome("feed", ViewOutcome.DELIVERED, 1, bytes(17)),)},
    ],
)
def test_what_does_not_fit_the_schema_is_refused(wrong: dict[str, object]) -> None:
    """A tag of another length or a number beyond 64 bits is never written."""
    with pytest.raises(ValueError, match=r"bytes|bits"):
        encode_entry(replace(Entry(1, Outcome.REJECTED, "2026-06"), **wrong))  # type: ignore[arg-type]
