"""What a processor under test is given: made-up records of each topic that it declared as read, always the same."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, replace
from typing import Any

import fastavro
from fastavro.utils import generate_one

from stream_processors.host.declaration import DAY_MS, Processor, Schema
from stream_processors.host.needs import reads_of
from tests.stream_processors import world
from tidings import topics, wire
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.clock import StillClock
from tidings.decisions import (
    BLOCK_SCHEMA,
    AgreementOutcome,
    Block,
    BlockKind,
    Entry,
    Outcome,
    ViewOutcome,
    encode_block,
    epoch_of,
)
from tidings.errors import Finding, ReasonCode, Severity
from tidings.policy.model import FieldRule, Policy, View, linkage_keys
from tidings.projection import derive_view_schema

BLOCKS = 24
RECORDS = 12
PARTITIONS = 2
_HASH = bytes(32)


@dataclass(frozen=True)
class Given:
    """One record to publish. `schema` wrote it; `key` is None where the topic's readers need none."""

    topic: str
    partition: int
    at_ms: int
    value: dict[str, Any]
    schema: Schema
    key: bytes | None = None


def linked(event_type: str, schema_id: int, rules: dict[str, Any], subscriber: str = "dwp") -> View:
    """A view of the linkage group whose feeds one processor reads."""
    fields = tuple(FieldRule(path=path, mask=mask) for path, mask in rules.items())
    schema = derive_view_schema(
        load_catalogue(default_catalogue_dir()).event_types[event_type].schema, fields, subscriber=subscriber,
        agreement="journeys", agreement_version=1, include_flags=False,
    )  # fmt: skip
    more = {"event_type": event_type, "view_schema": schema, "fields": fields, "schema_id": schema_id}
    more["subscriber"] = subscriber
    feed = topics.feed(subscriber, "journeys", 1, event_type)
    return world.view("journeys", {}, key_group=linkage_keys("life-event-journey"), feed=feed, **more)


LINKED = (
    linked("death-notified", 21, {"subject": "pseudonym", "status": "keep"}),
    linked("death-registered", 22, {"subject": "pseudonym"}),
)


def policy() -> Policy:
    """A small country with two agreements on one inbox, and a third in a linkage group."""
    made = world.policy(1, (world.BENEFITS, world.STATISTICS, *LINKED))
    created_at_ms = StillClock().now_ms() - 3 * DAY_MS
    return made.model_copy(update={"system_schema_ids": {topics.DECISIONS: 3}, "created_at_ms": created_at_ms})


def given(processor: Processor, in_force: Policy) -> list[Given]:
    """Records of every topic that the processor reads, over a few days up to now, in the order of their times."""
    found: list[Given] = []
    for number, (topic, reads) in enumerate(sorted(reads_of(processor, in_force).items())):
        if topic == topics.DECISIONS:
            found += decisions(seed=1)
            continue
        schema = reads.schema or _writer_of(topic, in_force)
        if topic.startswith("feed."):
            found += views(topic, schema, seed=number)
            continue
        found += _made_up(topic, schema, seed=number)
    return sorted(found, key=lambda each: each.at_ms)


def decisions(seed: int, count: int = BLOCKS) -> list[Given]:
    """Decision blocks of both partitions of one inbox: events of every fate, two days' worth, some subjects twice."""
    rng = random.Random(seed)  # noqa: S311 -- made-up records
    now_ms = StillClock().now_ms()
    offsets = dict.fromkeys(range(PARTITIONS), 0)
    sequences = dict.fromkeys((world.BENEFITS.feed, world.STATISTICS.feed), 0)
    found = []
    for number in range(count):
        partition, at_ms = number % PARTITIONS, now_ms - (count - number) * 2 * DAY_MS // count
        entries = []
        for _ in range(rng.randint(1, 6)):
            entries.append(_entry(rng, offsets[partition], at_ms, sequences))
            offsets[partition] += 1
        block = Block(
            BlockKind.BATCH, world.INBOX, partition, entries[0].offset, entries[-1].offset, _HASH, 1, "hash", at_ms,
            "worker", entries=tuple(entries), sequences=tuple(sequences.items()),
        )  # fmt: skip
        value: Any = fastavro.schemaless_reader(
            io.BytesIO(encode_block(block, 3)[wire.HEADER_BYTES :]), fastavro.parse_schema(BLOCK_SCHEMA), None
        )
        found.append(Given(topics.DECISIONS, partition, at_ms, value, BLOCK_SCHEMA))
    return found


def _entry(rng: random.Random, offset: int, at_ms: int, sequences: dict[str, int]) -> Entry:
    outcome = rng.choice([Outcome.DELIVERED] * 6 + [Outcome.REJECTED, Outcome.DUPLICATE, Outcome.QUARANTINED])
    findings = {
        Outcome.REJECTED: (
            Finding(ReasonCode.REQUIRED_MISSING, "deceased.names"),
            Finding(ReasonCode.DATE_IMPOSSIBLE, "occurred_on"),
        ),
        Outcome.DELIVERED: (Finding(ReasonCode.PATTERN_MISMATCH, "usual_residence.postcode", Severity.FLAG),),
    }.get(outcome, ())
    flagged = outcome is Outcome.DELIVERED and rng.random() < 0.3
    agreements = ()
    if outcome is Outcome.DELIVERED:
        for feed in sequences:
            sequences[feed] += 1
        agreements = tuple(
            AgreementOutcome(feed, ViewOutcome.DELIVERED, sequence, bytes(16)) for feed, sequence in sequences.items()
        )
    return Entry(
        offset,
        outcome,
        epoch_of(at_ms),
        event_id=world.event_id(rng.randrange(10**9)),
        subject_tag=bytes([rng.randrange(8)]) * 16,
        change=rng.choice(["CREATED", "CREATED", "CREATED", "CORRECTED", "ANNULLED"]),
        record_version=1,
        received_at_ms=at_ms - rng.choice([1_000, 60_000, 3 * DAY_MS]),
        flagged=flagged,
        findings=findings if outcome is not Outcome.DELIVERED or flagged else (),
        agreements=agreements,
    )


def _writer_of(topic: str, in_force: Policy) -> Schema:
    return next(view.view_schema for view in in_force.views if view.feed == topic)


def views(topic: str, schema: Schema, seed: int) -> list[Given]:
    """Views of four subjects, each with two records that change now and then, out of both partitions of a feed: two
    days' worth, as of decisions."""
    rng = random.Random(seed)  # noqa: S311 -- made-up records
    now_ms = StillClock().now_ms()
    found = []
    for number, plain in enumerate(_made_up(topic, schema, seed)):
        made = replace(plain, at_ms=now_ms - (RECORDS - number) * 2 * DAY_MS // RECORDS)
        subject, withdrawn = 2 * rng.randrange(2) + made.partition, rng.random() < 0.1
        head = {
            "sequence": number // PARTITIONS, "kind": "WITHDRAWN" if withdrawn else "LIVE", "policy_version": 1,
            "event_id": world.event_id(100 * seed + number), "record_id": f"record-{subject}-{rng.randrange(2)}",
            "change": rng.choice(["CREATED", "CREATED", "CHANGED", "CORRECTED", "ANNULLED", "REINSTATED"]),
            "recorded_at": rng.choice([None, made.at_ms - 60_000]), "life_event_id": None,
        }  # fmt: skip
        found.append(replace(made, value={**made.value, **head}, key=f"1.pseudonym-{subject}".encode()))
    return found


def _made_up(topic: str, schema: Schema, seed: int) -> list[Given]:
    now_ms = StillClock().now_ms()
    before = random.getstate()
    random.seed(seed)
    try:
        values: list[Any] = [generate_one(schema) for _ in range(RECORDS)]
    finally:
        random.setstate(before)
    return [
        Given(topic, number % PARTITIONS, now_ms - (RECORDS - number) * 3_600_000, value, schema)
        for number, value in enumerate(values)
    ]


def encoded(schema: Schema, value: dict[str, Any], number: int) -> bytes:
    """A record's value in the wire format."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return wire.header(number) + out.getvalue()
