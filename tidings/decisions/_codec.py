"""Decision blocks to bytes and back: the wire format's header, then Avro.

An entry is encoded once, so that parts can be measured and joined without encoding anything twice: an Avro array is a
count, its items and a zero, and a record is its fields in a row (Avro 1.12 specification, "Binary Encoding").
"""

from __future__ import annotations

import io
from typing import Any

import fastavro

from tidings import wire
from tidings.decisions._entry_bytes import encode_entry
from tidings.decisions._model import AgreementOutcome, Block, BlockKind, Entry, Outcome, ViewOutcome
from tidings.decisions._schema import BLOCK_SCHEMA, FORMAT, HEAD_SCHEMA, TAIL_SCHEMA
from tidings.errors import Fatal, Finding, ReasonCode, Severity

_HEAD = fastavro.parse_schema(HEAD_SCHEMA)
_TAIL = fastavro.parse_schema(TAIL_SCHEMA)
_BLOCK = fastavro.parse_schema(BLOCK_SCHEMA)


def encode_block(block: Block, schema_id: int, entries: tuple[int, bytes] | None = None) -> bytes:
    """A block as it stands in `exchange.decisions`. `entries` (how many, and their bytes) stand for `block.entries`."""
    count, encoded = entries or (len(block.entries), b"".join(map(encode_entry, block.entries)))
    array = wire.zigzag(count) + encoded + b"\x00" if count else b"\x00"
    return wire.header(schema_id) + _write(_HEAD, _head_record(block)) + array + _write(_TAIL, _tail_record(block))


def decode_block(value: bytes) -> Block:
    """The block of a record's value. Raises Fatal where it is not one: evidence that cannot be read is no evidence."""
    try:
        wire.schema_id_of(value)
        stream = io.BytesIO(value[wire.HEADER_BYTES :])
        read: Any = fastavro.schemaless_reader(stream, _BLOCK, None)
        block = _block(read)
    except Exception:  # noqa: BLE001 -- whatever is wrong with the bytes, the answer is the same
        raise Fatal("a decision block cannot be read") from None
    if stream.read(1) or read["format"] != FORMAT:
        raise Fatal("a decision block is of another format")
    return block


def _write(schema: Any, record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


def _head_record(block: Block) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": block.kind.value,
        "inbox": block.inbox,
        "partition": block.partition,
        "part": block.part,
        "parts": block.parts,
        "first_offset": block.first_offset,
        "last_offset": block.last_offset,
        "previous_hash": block.previous_hash,
        "policy_version": block.policy_version,
        "policy_hash": block.policy_hash,
        "decided_at": block.decided_at_ms,
        "worker": block.worker,
    }


def _tail_record(block: Block) -> dict[str, Any]:
    sequences = [{"feed": feed, "sequence": sequence} for feed, sequence in block.sequences]
    return {"sequences": sequences, "replays_to": block.replays_to}


def _block(read: dict[str, Any]) -> Block:
    return Block(
        kind=BlockKind(read["kind"]),
        inbox=read["inbox"],
        partition=read["partition"],
        first_offset=read["first_offset"],
        last_offset=read["last_offset"],
        previous_hash=read["previous_hash"],
        policy_version=read["policy_version"],
        policy_hash=read["policy_hash"],
        decided_at_ms=read["decided_at"],
        worker=read["worker"],
        part=read["part"],
        parts=read["parts"],
        entries=tuple(_entry(entry) for entry in read["entries"]),
        sequences=tuple((item["feed"], item["sequence"]) for item in read["sequences"]),
        replays_to=read["replays_to"],
    )


def _entry(read: dict[str, Any]) -> Entry:
    return Entry(
        offset=read["offset"],
        outcome=Outcome(read["outcome"]),
        tag_epoch=read["tag_epoch"],
        event_id=read["event_id"],
        subject_tag=read["subject_tag"],
        change=read["change"],
        record_version=read["record_version"],
        received_at_ms=read["received_at"],
        flagged=read["flagged"],
        late=read["late"],
        findings=tuple(Finding(ReasonCode(f["code"]), f["path"], Severity(f["severity"])) for f in read["findings"]),
        agreements=tuple(
            AgreementOutcome(a["agreement"], ViewOutcome(a["outcome"]), a["sequence"], a["commitment"])
            for a in read["agreements"]
        ),
        publisher_signature=read["publisher_signature"],
    )
