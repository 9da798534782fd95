"""The Avro schema of a decision block. Frozen: golden bytes in the tests; a change is a new `format`."""

from __future__ import annotations

from typing import Any

FORMAT = 1

_HASH = {"type": "fixed", "name": "Hash", "size": 32}
_TAG = {"type": "fixed", "name": "Tag", "size": 16}


def _maybe(of: Any) -> list[Any]:
    return ["null", of]


_FINDING = {
    "type": "record",
    "name": "DecisionFinding",
    "doc": "One reason about one field: a code of tidings.errors.ReasonCode and a field path, never a value.",
    "fields": [
        {"name": "code", "type": "string"},
        {"name": "path", "type": "string"},
        {"name": "severity", "type": {"type": "enum", "name": "FindingSeverity", "symbols": ["reject", "flag"]}},
    ],
}

_AGREEMENT = {
    "type": "record",
    "name": "AgreementOutcome",
    "doc": "What one agreement in force made of the event.",
    "fields": [
        {"name": "agreement", "type": "string", "doc": "The feed's topic."},
        {
            "name": "outcome",
            "type": {"type": "enum", "name": "ViewOutcome", "symbols": ["DELIVERED", "WITHDRAWN", "FILTERED", "HELD"]},
        },
        {"name": "sequence", "type": _maybe("long"), "doc": "The view's sequence in the feed's partition."},
        {
            "name": "commitment",
            "type": _maybe("tidings.exchange.Tag"),
            "doc": "BLAKE2b-128 of the feed's value, keyed with the nonce.",
        },
    ],
}

ENTRY_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "DecisionEntry",
    "namespace": "tidings.exchange",
    "doc": "What was decided for one event.",
    "fields": [
        {"name": "offset", "type": "long"},
        {"name": "event_id", "type": _maybe("string")},
        {"name": "subject_tag", "type": _maybe(_TAG), "doc": "BLAKE2b-128 of the subject, keyed for tag_epoch."},
        {"name": "tag_epoch", "type": "string", "doc": "The month (UTC) whose key made the tag: 2026-06."},
        {"name": "change", "type": _maybe("string")},
        {"name": "record_version", "type": _maybe("long")},
        {"name": "received_at", "type": _maybe("long"), "doc": "Milliseconds since 1970."},
        {
            "name": "outcome",
            "type": {
                "type": "enum",
                "name": "Outcome",
                "symbols": ["DELIVERED", "WITHDRAWN", "FILTERED", "REJECTED", "DUPLICATE", "QUARANTINED", "HELD"],
            },
        },
        {"name": "flagged", "type": "boolean"},
        {"name": "late", "type": "boolean", "doc": "Decided on an operator's replay; replaces the earlier entry."},
        {"name": "findings", "type": {"type": "array", "items": _FINDING}},
        {"name": "agreements", "type": {"type": "array", "items": _AGREEMENT}},
        {"name": "publisher_signature", "type": _maybe("bytes"), "doc": "Reserved."},
    ],
}

HEAD_FIELDS: list[dict[str, Any]] = [
    {"name": "format", "type": "int"},
    {"name": "kind", "type": {"type": "enum", "name": "BlockKind", "symbols": ["BATCH", "POLICY_SWITCH", "REPLAY"]}},
    {"name": "inbox", "type": "string"},
    {"name": "partition", "type": "int"},
    {"name": "part", "type": "int", "doc": "From 1."},
    {"name": "parts", "type": "int"},
    {"name": "first_offset", "type": "long"},
    {"name": "last_offset", "type": "long"},
    {"name": "previous_hash", "type": _HASH, "doc": "SHA-256 of the whole value of the part before; zeros at first."},
    {"name": "policy_version", "type": "long"},
    {"name": "policy_hash", "type": "string"},
    {"name": "decided_at", "type": "long", "doc": "The batch's one clock reading, in milliseconds since 1970."},
    {"name": "worker", "type": "string"},
]

TAIL_FIELDS: list[dict[str, Any]] = [
    {
        "name": "sequences",
        "doc": "The last sequence of every feed partition that this inbox partition ever wrote; last part only.",
        "type": {
            "type": "array",
            "items": {
                "type": "record",
                "name": "FeedSequence",
                "fields": [{"name": "feed", "type": "string"}, {"name": "sequence", "type": "long"}],
            },
        },
    },
    {"name": "replays_to", "type": "long", "doc": "The last position of exchange.replays answered; -1 for none."},
]


def _record(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "tidings.exchange", "fields": fields}


HEAD_SCHEMA = _record("DecisionBlockHead", HEAD_FIELDS)
TAIL_SCHEMA = _record("DecisionBlockTail", TAIL_FIELDS)
BLOCK_SCHEMA: dict[str, Any] = {
    **_record(
        "DecisionBlock",
        [*HEAD_FIELDS, {"name": "entries", "type": {"type": "array", "items": ENTRY_SCHEMA}}, *TAIL_FIELDS],
    ),
    "doc": "What was decided for the events of one batch of one inbox partition. Holds no clear value.",
}
"""What `tidings apply` registers for `exchange.decisions-value`."""
