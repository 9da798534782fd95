"""The guarantees of docs/guides/delivery-evidence.md, each on a real broker, by the wired exchange with its own rights.

The mutation that each test was seen to catch stands in that guide's table.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from string import ascii_letters
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from tests.stream_processors.broker_site import (
    ADMIN,
    BENEFITS,
    STATISTICS,
    VIEWS,
    Killed,
    Site,
    Worker,
    dying,
    eventually,
    message_of,
)
from tests.stream_processors.world import INBOX, PARTITIONS, SCHEMA_ID, SUBJECTS, value
from tidings import topics, wire
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.decisions import BlockKind, Entry, Outcome
from tidings.errors import Fatal
from tidings.kafka.client_settings import client_settings
from tidings.kafka.settings import LoopSettings
from tidings.log import Message
from tidings.partitions import partition_of
from tidings.policy.model import View

pytestmark = pytest.mark.broker

_1970 = 1_000
_NOBODY = b"nhs_number:9990000000"


def test_each_fault_of_framing_has_its_code_and_reaches_no_feed(site: Site) -> None:
    """Nulls, key, partition, agency, schema, environment, used id: that code alone, a notice, and work goes on."""
    before = site.standing().records
    sound = site.fresh(8)
    other = next(s for s in SUBJECTS if partition_of(f"nhs_number:{s}".encode(), PARTITIONS) == 0)
    in_0 = [each | {"subject": {"scheme": "nhs_number", "value": other}} for each in sound]
    cases = {
        "null_key": message_of(in_0[0], key=None),
        "null_value": message_of(in_0[1], value=None),
        "partition_mismatch": message_of(in_0[2], partition=1),
        "key_mismatch": message_of(in_0[3], key=_NOBODY, partition=partition_of(_NOBODY, PARTITIONS)),
        "source_mismatch": message_of(in_0[4] | {"source": in_0[4]["source"] | {"agency": "dwp"}}),
        "schema_unknown": message_of(in_0[5], value=value(in_0[5], SCHEMA_ID + 1)),
        "environment_mismatch": message_of(in_0[6] | {"environment": "LIVE"}),
        "undecodable": message_of(in_0[7], value=wire.header(SCHEMA_ID) + b"\x02"),
    }
    last = site.fresh(1)[0] | {"subject": in_0[0]["subject"]}
    with Worker(site) as worker:
        entries = site.decided(site.send(cases.values()))
        reused = site.decided(site.send([message_of(last), message_of(last | {"record_id": "R/other"})]))
    assert worker.failure is None
    found = {code: {str(f.code) for f in entry.findings} for code, entry in zip(cases, entries, strict=True)}
    assert found == {code: {code} for code in cases}
    assert [entry.outcome for entry in entries] == [Outcome.REJECTED] * len(cases)
    assert [entry.outcome for entry in reused] == [Outcome.DELIVERED, Outcome.REJECTED]
    assert [str(f.code) for f in reused[1].findings] == ["event_id_reused"]
    after = site.standing().records
    assert after["notices.gro"] - before["notices.gro"] == len(cases) + 1
    assert {view.feed: after[view.feed] - before[view.feed] for view in VIEWS} == {view.feed: 1 for view in VIEWS}


def test_the_window_is_rebuilt_from_the_inbox_and_sequences_go_on(site: Site) -> None:
    """A successor knows its predecessor's events: a repeat is a duplicate; a new event takes the next sequence."""
    first = site.fresh(10)
    with Worker(site):
        site.decided(site.publish(first))
    with Worker(site):
        again = site.decided(site.publish(first[-3:]))
        new = site.decided(site.publish(site.fresh(5)))
    assert {entry.outcome for entry in again} == {Outcome.DUPLICATE}
    assert {entry.outcome for entry in new} == {Outcome.DELIVERED}
    site.gapless()
    for view in VIEWS:
        ids = {(r.partition, r.value) for r in site.read(view.feed)}
        assert len(ids) == len(site.read(view.feed))


def test_feed_partition_is_inbox_partition_in_the_inbox_s_order(site: Site) -> None:
    """The decisions of inbox partition n say which sequences they made: the feeds hold these in their partition n."""
    with Worker(site):
        places = site.publish(site.fresh(12))
        site.decided(places)
    made = site.entries()
    for view in VIEWS:
        # In the order of the decisions: what another test had replayed out of quarantine was decided after its place.
        said: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
        for block in site.blocks():
            said[block.partition] += [number for entry in block.entries for number in _sequences(entry, view)]
        records = site.read(view.feed)
        assert {n: len(said[n]) for n in said} == {n: sum(r.partition == n for r in records) for n in said}
        assert all(numbers == sorted(numbers) and numbers for numbers in said.values())
        mine: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
        for partition, offset in sorted(places):
            mine[partition.partition] += _sequences(made[partition, offset][0], view)
        assert all(numbers == sorted(numbers) for numbers in mine.values())
        assert sum(map(len, mine.values())) == len(places)


def test_aborted_deliveries_leave_no_block_and_no_offset(site: Site) -> None:
    """Ended with all written and not committed: neither view nor block nor nonce nor mark; then all of them, once."""
    before = site.settled()
    written = _ends(site, topics.DECISIONS)
    events = site.fresh(6)
    with Worker(site, dying("offsets")) as worker:
        places = site.publish(events)
        assert isinstance(worker.ended(), Killed)
    assert site.standing() == before
    assert _ends(site, topics.DECISIONS) > written, "the block was on the log before the abort"
    with Worker(site):
        entries = site.decided(places)
    assert {entry.outcome for entry in entries} == {Outcome.DELIVERED}
    assert site.standing().records[BENEFITS.feed] == before.records[BENEFITS.feed] + len(events)
    assert site.standing().marks != before.marks
    site.gapless()


def test_an_idle_worker_acknowledges_a_policy_for_each_partition(site: Site) -> None:
    """No event comes: each owned partition gets one policy-switch block all the same, and its offset stays."""
    offsets = {partition: mark[0] for partition, mark in site.marks().items()}
    with Worker(site):
        made = site.switch()
        eventually(
            lambda: {b.partition for b in site.blocks() if b.policy_version == made.version} == set(range(PARTITIONS)),
            "both partitions acknowledged",
        )
    switches = [block for block in site.blocks() if block.policy_version == made.version]
    assert [(block.kind, block.policy_hash) for block in switches] == [
        (BlockKind.POLICY_SWITCH, made.hash)
    ] * PARTITIONS
    assert {partition: mark[0] for partition, mark in site.marks().items()} == offsets


@pytest.mark.parametrize(
    ("moved", "message"),
    [
        (lambda _offset, _anchor: (0, ""), "no anchor"),
        (lambda offset, _anchor: (offset, ""), "no anchor"),
        (lambda offset, _anchor: (offset, "genesis"), "no block was ever written"),
        (lambda offset, anchor: (offset - 1, anchor), "the last block ends at"),
        (lambda offset, _anchor: (offset, "0:999999"), "not where the committed offset says"),
    ],
    ids=["to-earliest", "metadata-lost", "genesis-again", "one-back", "block-not-there"],
)
def test_a_moved_offset_stops_the_worker(
    site: Site, moved: Callable[[int, str], tuple[int, str]], message: str
) -> None:
    """What `kafka-consumer-groups --reset-offsets` leaves behind is Fatal; nothing is decided twice or passed over."""
    with Worker(site):
        site.decided(site.publish(site.fresh(4)))
    before = site.standing()
    try:
        site.move({partition: moved(*mark) for partition, mark in before.marks.items()})
        with Worker(site) as worker:
            failure = worker.ended()
        assert isinstance(failure, Fatal)
        assert message in str(failure)
        assert site.standing().records == before.records
    finally:
        site.move(before.marks)


def test_what_an_inbox_takes_fits_the_feed(site: Site) -> None:
    """An event as large as its inbox takes is delivered whole; one byte more than that the inbox refuses."""
    limit = int(next(plan for plan in site.plans if plan.name == INBOX).config["max.message.bytes"])
    # Letters without a pattern: a broker weighs what is compressed.
    letters = "".join(Random(1).choices(ascii_letters, k=limit))  # noqa: S311 -- no secret
    long = [{"use": "OFFICIAL", "family": letters[:-1_000], "given": []}]
    with Worker(site) as worker:
        [event] = site.fresh(1)
        [entry] = site.decided(site.publish([event | {"deceased": event["deceased"] | {"names": long}}]))
    assert worker.failure is None
    assert entry.outcome is Outcome.DELIVERED
    assert max(len(record.value or b"") for record in site.read(BENEFITS.feed)) > limit - 1_000
    too_long = [{"use": "OFFICIAL", "family": letters, "given": []}]
    with pytest.raises(AssertionError, match="MSG_SIZE_TOO_LARGE"):
        site.publish([event | {"deceased": event["deceased"] | {"names": too_long}}])


def test_time_is_the_broker_s_on_every_topic(site: Site) -> None:
    """A publisher that claims 1970 changes no timestamp; every topic of the plan carries the broker's time."""
    with Worker(site):
        site.decided(site.publish(site.fresh(4), at_ms=_1970))
        site.decided(site.send([Message(INBOX, 0, None, None)]))
    found = site.admin.describe_topics(plan.name for plan in site.plans)
    assert {topic.config["message.timestamp.type"] for topic in found.values()} == {"LogAppendTime"}
    assert len(found) == len(site.plans)
    for topic in (INBOX, topics.DECISIONS, topics.NONCES, "notices.gro", BENEFITS.feed, STATISTICS.feed):
        assert min(record.timestamp_ms for record in site.read(topic)) > _1970, topic


def test_generated_reader_settings_hide_what_was_aborted(site: Site) -> None:
    """The settings that a subscriber is given never show a view whose transaction was aborted; the default would."""
    with Worker(site, dying("offsets")) as worker:
        places = site.publish(site.fresh(6))
        assert isinstance(worker.ended(), Killed)
    given = client_settings(site.cluster, ADMIN)["consumer"] | {
        "sasl.password": site.cluster.password(ADMIN),
        "enable.partition.eof": True,
    }
    assert _count(given, BENEFITS.feed) == len(site.read(BENEFITS.feed))
    assert _count(given | {"isolation.level": "read_uncommitted"}, BENEFITS.feed) > len(site.read(BENEFITS.feed))
    with Worker(site):
        site.decided(places)


def test_offsets_outlive_inboxes_and_sessions_end_in_time(site: Site) -> None:
    """What the broker itself says: offsets are kept longer than any inbox of the catalogue; 6 to 10 s to take over."""
    longest = max(each.retention_days for each in load_catalogue(default_catalogue_dir()).event_types.values())
    client = AdminClient(site.cluster.client_config(ADMIN))
    brokers = client.list_topics(timeout=10).brokers
    asked = ConfigResource(ResourceType.BROKER, str(next(iter(brokers))))
    config = next(iter(client.describe_configs([asked]).values())).result(10)
    assert int(config["offsets.retention.minutes"].value) > longest * 24 * 60
    assert 6_000 <= int(config["group.consumer.session.timeout.ms"].value) <= 10_000
    assert LoopSettings().transaction_timeout_ms == 10_000


def _sequences(entry: Entry, view: View) -> list[int]:
    """The sequence of the view that a decision made, if it made one."""
    return [each.sequence for each in entry.agreements if each.agreement == view.feed and each.sequence is not None]


def _ends(site: Site, topic: str) -> int:
    """The sum of a topic's high watermarks."""
    return sum(site.reader.ends(site.reader.partitions(topic)).values())


def _count(config: dict[str, Any], topic: str) -> int:
    """How many records a consumer with this configuration gets of a topic, from its start to its end."""
    consumer = Consumer(config)
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    seen = 0
    ended: set[int | None] = set()
    while len(ended) < PARTITIONS:
        message = consumer.poll(30)
        assert message is not None, "nothing came"
        error = message.error()
        if error is None:
            seen += 1
        else:
            assert error.name() == "_PARTITION_EOF", error.name()
            ended.add(message.partition())
    consumer.close()
    return seen
