"""A decision block's bytes: frozen, chained, split."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import fastavro
import pytest

from tidings.decisions import (
    BLOCK_SCHEMA,
    FIRST_PREVIOUS,
    AgreementOutcome,
    Anchor,
    Block,
    BlockKind,
    Entry,
    Outcome,
    ViewOutcome,
    anchor_text,
    block_hash,
    commitment,
    decode_block,
    encode_block,
    epoch_of,
    nonce_key,
    parse_anchor,
    split,
    subject_tag,
    verify_chain,
)
from tidings.errors import Fatal, Finding, ReasonCode, Severity
from tidings.keys import KeyRing

KEYS = KeyRing(bytes(range(32)))


def entry(offset: int) -> Entry:
    """An entry that uses every field."""
    return Entry(
        offset=offset,
        outcome=Outcome.DELIVERED,
        tag_epoch="2026-06",
        event_id="6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0",
        subject_tag=bytes(range(16)),
        change="CREATED",
        record_version=2,
        received_at_ms=1_780_000_000_000,
        flagged=True,
        late=False,
        findings=(Finding(ReasonCode.DATE_ORDER, "recorded_at", Severity.FLAG),),
        agreements=(
            AgreementOutcome("feed.dwp.benefits.v1.death-registered", ViewOutcome.DELIVERED, 7, bytes(16)),
            AgreementOutcome("feed.dwp.statistics.v1.death-registered", ViewOutcome.FILTERED),
        ),
    )


def block(entries: int = 2) -> Block:
    """A block of some entries, from offset 0."""
    return Block(
        kind=BlockKind.BATCH,
        inbox="inbox.gro.death-registered",
        partition=1,
        first_offset=0,
        last_offset=entries - 1,
        previous_hash=FIRST_PREVIOUS,
        policy_version=3,
        policy_hash="ab" * 32,
        decided_at_ms=1_780_315_200_000,
        worker="worker-1",
        entries=tuple(entry(offset) for offset in range(entries)),
        sequences=(("feed.dwp.benefits.v1.death-registered", 7),),
        replays_to=4,
    )


def test_the_bytes_of_a_block_are_frozen() -> None:
    """Golden bytes: a change here breaks every chain in the field, and needs a new format number."""
    golden = bytes.fromhex((Path(__file__).parent / "block-format-1.hex").read_text("ascii"))

    assert encode_block(block(), 9) == golden
    assert decode_block(golden) == block()


def test_a_block_is_what_any_avro_library_writes() -> None:
    """Joining head, entries and tail by hand gives the very bytes of the registered schema."""
    value = encode_block(block(), 9)
    schema = fastavro.parse_schema(BLOCK_SCHEMA)
    read = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, read)

    assert value[5:] == out.getvalue()


def test_a_block_survives_the_round_trip() -> None:
    """Every field comes back."""
    assert block() == decode_block(encode_block(block(), 9))


@pytest.mark.parametrize("value", [b"", b"\x01abcd", encode_block(block(), 9)[:-1], encode_block(block(), 9) + b"x"])
def test_what_is_not_a_block_is_fatal(value: bytes) -> None:
    """Evidence that cannot be read wholly stops whoever needs it."""
    with pytest.raises(Fatal):
        decode_block(value)


def test_parts_are_small_numbered_and_chained() -> None:
    """A large batch becomes parts under the limit, which tile its offsets and verify as one chain."""
    whole = block(100)
    parts = split(whole, 9, limit=4_000)
    blocks = verify_chain(part.value for part in parts)

    assert len(parts) > 1
    assert all(len(part.value) <= 4_000 for part in parts)
    assert [(part.first_offset, part.entries) for part in parts] == [(b.first_offset, len(b.entries)) for b in blocks]
    assert [each.part for each in blocks] == list(range(1, len(parts) + 1))
    assert [each for made in blocks for each in made.entries] == list(whole.entries)
    assert [made.sequences for made in blocks[:-1]] == [()] * (len(parts) - 1)
    assert (blocks[-1].sequences, blocks[-1].replays_to) == (whole.sequences, 4)


def test_one_entry_larger_than_a_part_is_fatal() -> None:
    """A decision that cannot be written is not made."""
    with pytest.raises(Fatal, match="larger than a block"):
        split(block(1), 9, limit=300)


def test_the_chain_refuses_what_was_changed_left_out_or_put_in() -> None:
    """A changed byte, a missing block and blocks in another order each break the chain."""
    values = [part.value for part in split(block(100), 9, limit=4_000)]
    changed = [values[0].replace(b"CREATED", b"CHANGED"), *values[1:]]

    for broken in (changed, values[1:], [values[0], *values[2:]], [values[1], values[0], *values[2:]]):
        with pytest.raises(Fatal):
            verify_chain(broken)


def test_the_chain_refuses_a_sequence_that_goes_back() -> None:
    """A successor may not number views anew."""
    first = encode_block(block(), 9)
    second = replace(
        block(),
        first_offset=2,
        last_offset=3,
        previous_hash=block_hash(first),
        sequences=((block().sequences[0][0], 6),),
    )

    with pytest.raises(Fatal, match="goes back"):
        verify_chain([first, encode_block(second, 9)])


def test_an_anchor_is_read_as_it_is_written() -> None:
    """`genesis` means that no block stands before; anything that is no anchor is fatal."""
    assert Anchor(3, 17) == parse_anchor(anchor_text(Anchor(3, 17)))
    assert parse_anchor("genesis") is None
    for text in ("", "3", "3:-1", "3:x", "03:1", "3:1\n", "genesis "):
        with pytest.raises(Fatal):
            parse_anchor(text)


def test_a_tag_depends_on_key_epoch_scheme_and_value() -> None:
    """Tags of one subject cannot be joined across epochs, and no two subjects share one by chance of spelling."""
    tag = subject_tag(KEYS, "2026-06", "nhs_number", "9990000018")

    assert epoch_of(1_780_315_200_000) == "2026-06"
    assert len(tag) == 16
    assert tag not in {
        subject_tag(KEYS, "2026-07", "nhs_number", "9990000018"),
        subject_tag(KEYS, "2026-06", "nhs_number9", "990000018"),
        subject_tag(KeyRing(bytes(32)), "2026-06", "nhs_number", "9990000018"),
    }


def test_a_commitment_needs_its_nonce() -> None:
    """The same view under another nonce gives another commitment."""
    assert commitment(bytes(16), b"view") != commitment(bytes(15) + b"\x01", b"view")
    assert nonce_key("inbox.a.b", 2, 10) == b"inbox.a.b/2/10"
