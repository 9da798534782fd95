"""The exchange on a real broker: the wired handler under the exactly-once loop, ended in between.

`kill -9` of a worker's process is tried in tests/tidings/kafka.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from stream_processors.exchange import exchange_handler
from tests.stream_processors.accounts import sequence_of
from tests.stream_processors.broker_site import BENEFITS, STATISTICS
from tests.stream_processors.world import (
    ENDED,
    FUTURE,
    INBOX,
    PARTITIONS,
    event,
    key,
    policy,
    value,
)
from tidings import topics
from tidings.clock import Deadline, SystemClock
from tidings.decisions import Entry, Outcome, verify_chain
from tidings.kafka.genesis import start_partitions
from tidings.kafka.policy_store import PolicyReader, publish
from tidings.kafka.read import LogReader
from tidings.log import InboxRecord, Message, Partition
from tidings.partitions import partition_of
from tidings.policy.codec import policy_hash
from tidings.replays import request_message

pytestmark = pytest.mark.broker

if TYPE_CHECKING:
    from tidings.kafka.cluster import Cluster

PRINCIPAL = "admin"
VIEWS = (BENEFITS, STATISTICS)


def eventually(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait until `condition` holds. Raises AssertionError, naming `what`, after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class Site:
    """One secured broker with the small country on it."""

    def __init__(self, cluster: Cluster) -> None:
        from tidings.kafka.admin import Admin, Topic

        self.cluster = cluster
        self.reader = LogReader(cluster, PRINCIPAL)
        feeds = dict.fromkeys((view.feed for view in (BENEFITS, STATISTICS, ENDED, FUTURE)), PARTITIONS)
        system = {topics.DECISIONS: 3, topics.NONCES: 3, topics.QUARANTINE: 1, "notices.gro": 1, topics.REPLAYS: 1}
        counts = {INBOX: PARTITIONS, topics.POLICY: 1, **system, **feeds}
        admin = Admin(cluster)
        admin.create_topics([Topic(name, count, 1) for name, count in counts.items()])
        admin.wait_for_topics(counts)
        clock = SystemClock()
        inboxes = [Partition(INBOX, number) for number in range(PARTITIONS)]
        start_partitions(cluster, PRINCIPAL, inboxes, clock, Deadline(clock, 30))
        self.switch(1)

    def switch(self, version: int) -> None:
        """Publish a policy."""
        made = policy(version, VIEWS, window=1_000)
        publish(self.cluster, PRINCIPAL, made.model_copy(update={"hash": policy_hash(made)}))

    def send(self, messages: list[Message]) -> None:
        """Produce and wait for delivery."""
        from confluent_kafka import Producer

        producer = Producer(self.cluster.producer_config(PRINCIPAL))
        for message in messages:
            producer.produce(message.topic, message.value, message.key, message.partition)
        assert producer.flush(30) == 0

    def publish(self, numbers: range) -> None:
        """Publish sound events."""
        made = [event(number) for number in numbers]
        self.send([Message(INBOX, partition_of(key(each), PARTITIONS), key(each), value(each)) for each in made])

    def read(self, topic: str) -> list[InboxRecord]:
        """Every committed record of a topic."""
        return list(self.reader.read_to_end(topic))

    def entries(self) -> list[Entry]:
        """All decisions, after verifying each partition's chain."""
        records = sorted(self.read(topics.DECISIONS), key=lambda record: (record.partition, record.offset))
        return [
            entry
            for number in range(PARTITIONS)
            for block in verify_chain(r.value or b"" for r in records if r.key == f"{INBOX}/{number}".encode())
            for entry in block.entries
        ]

    def versions(self) -> set[tuple[int, int]]:
        """Which partition has acknowledged which policy."""
        records = sorted(self.read(topics.DECISIONS), key=lambda record: (record.partition, record.offset))
        return {
            (number, block.policy_version)
            for number in range(PARTITIONS)
            for block in verify_chain(r.value or b"" for r in records if r.key == f"{INBOX}/{number}".encode())
        }


class Killed(BaseException):
    """Ends the loop at a step: the open transaction is aborted, and the handler hears nothing more."""


@contextmanager
def running(site: Site, slot: int, die_at: str = "") -> Iterator[CollectorRegistry]:
    """A worker in a thread; with `die_at` it ends when it comes to that step for the third time."""
    from tidings.kafka.clients import consumer_config, open_consumer, open_producer, producer_config
    from tidings.kafka.loop import Loop
    from tidings.kafka.settings import LoopSettings

    settings = LoopSettings(batch_max_events=20, shared_max_events=20)
    registry = CollectorRegistry()
    left = 3
    failures: list[BaseException] = []

    def probe(step: str) -> None:
        nonlocal left
        if step == die_at:
            left -= 1
            if not left:
                raise Killed

    with LogReader(site.cluster, PRINCIPAL) as reader, PolicyReader(site.cluster, PRINCIPAL) as policies:
        handler = exchange_handler(
            site.cluster, slot, worker="test", reader=reader, policies=policies, registry=registry
        )
        loop = Loop(
            lambda: open_consumer(consumer_config(site.cluster, PRINCIPAL, slot, settings)),
            open_producer(producer_config(site.cluster, PRINCIPAL, slot, settings)),
            handler,
            settings,
            probe=probe,
        )

        def work() -> None:
            try:
                loop.run()
            except BaseException as failure:  # noqa: BLE001 -- handed to the test, which judges it
                failures.append(failure)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield registry
            if die_at:
                thread.join(60)
        finally:
            loop.stop()
            thread.join(60)
    assert not thread.is_alive()
    assert [type(failure) for failure in failures] == ([Killed] if die_at else [])


@pytest.fixture(scope="module")
def site(broker: Cluster) -> Site:
    """The small country on the module's broker."""
    return Site(broker)


def delivered(site: Site) -> int:
    """How many views stand in the feeds."""
    return sum(len(site.read(view.feed)) for view in VIEWS)


def test_the_exchange_delivers_once_through_kills_a_switch_and_a_replay(site: Site) -> None:
    """Ended before and after a commit, then a policy switch, a repeat and a replay request: every account balances."""
    site.publish(range(100))
    with running(site, 0, die_at="blocks"):
        pass
    with running(site, 0, die_at="committed"):
        pass
    with running(site, 0) as registry:
        eventually(lambda: delivered(site) == 200, "200 views")
        site.switch(2)
        eventually(lambda: {(0, 2), (1, 2)} <= site.versions(), "both partitions acknowledged policy 2")
        site.publish(range(10))
        site.send([Message(INBOX, 0, None, None)])
        eventually(lambda: len(site.entries()) == 111, "the repeats and the null are decided")
        first = min(site.read(INBOX), key=lambda record: (record.partition, record.offset))
        site.send([request_message(Partition(INBOX, first.partition), first.offset)])
        eventually(lambda: any(entry.late for entry in site.entries()), "the replay is answered")
        metrics = generate_latest(registry).decode()

    made = site.entries()
    outcomes = [entry.outcome for entry in made if not entry.late]
    assert [outcomes.count(each) for each in (Outcome.DELIVERED, Outcome.DUPLICATE, Outcome.REJECTED)] == [100, 10, 1]
    assert len(site.read("notices.gro")) == 1
    assert delivered(site) == 202
    for view in VIEWS:
        records = site.read(view.feed)
        for number in range(PARTITIONS):
            mine = [sequence_of(record) for record in records if record.partition == number]
            assert sorted(mine) == mine == list(range(1, len(mine) + 1))
    assert 'tidings_events_total{event_type="death-registered",outcome="duplicate"} 10.0' in metrics
    assert "tidings_policy_version 2.0" in metrics
