"""The small country of `world` on a real broker: its own topics and access rules, workers as principal `exchange`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka import Message as Delivered
from prometheus_client import CollectorRegistry

import stream_processors.handler as wiring
from tests.eventually import eventually
from tests.loop_thread import LoopThread
from tests.stream_processors import world
from tests.stream_processors.accounts import sequence_of
from tests.stream_processors.world import INBOX, PARTITIONS, key, value
from tidings import topics
from tidings.clock import Deadline, SystemClock
from tidings.decisions import Block, Entry, verify_chain
from tidings.deployment import group_name
from tidings.kafka.access import set_access
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.clients import (
    consumer_config,
    open_consumer,
    open_producer,
    producer_config,
    transactional_config,
)
from tidings.kafka.cluster import Cluster
from tidings.kafka.genesis import start_partitions
from tidings.kafka.loop import Loop
from tidings.kafka.policy_store import PolicyReader, publish
from tidings.kafka.read import LogReader
from tidings.kafka.settings import LoopSettings
from tidings.log import InboxRecord, Message, Partition
from tidings.partitions import partition_of
from tidings.policy.codec import policy_hash
from tidings.policy.model import Policy, View
from tidings.projection import reference_projector
from tidings.provisioning.topic_plan import topics_of

ADMIN = "admin"
EXCHANGE = "exchange"
UNLISTED = "inbox.gro.unlisted"
WINDOW = 50
OWNED = tuple(Partition(INBOX, number) for number in range(PARTITIONS))


def lasting(view: View) -> View:
    """The view with no end, since a broker's tests run on the machine's clock."""
    return view.model_copy(update={"valid_from": date(2000, 1, 1), "valid_until": date(9999, 12, 31)})


BENEFITS = lasting(world.BENEFITS)
STATISTICS = lasting(world.STATISTICS)
VIEWS = (BENEFITS, STATISTICS)


def sealed(version: int, **more: Any) -> Policy:
    """A policy of both views, hashed as `tidings apply` does."""
    made = world.policy(version, more.pop("views", VIEWS), window=WINDOW, **more)
    return made.model_copy(update={"hash": policy_hash(made)})


class Standing(NamedTuple):
    """All that a read_committed reader sees of the exchange's work: records by topic, and the group's marks."""

    records: dict[str, int]
    marks: dict[Partition, tuple[int, str]]


class Site:
    """One secured broker with the small country on it, made as `tidings apply` makes one. `close` it at the end."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.admin = Admin(cluster)
        self.reader = LogReader(cluster, ADMIN)
        self.clock = SystemClock()
        self.policy = sealed(1)
        self.plans = topics_of(self.policy, {"death-registered": 30}, {(view.agreement, 1): 30 for view in VIEWS})
        # Beside them an inbox that no policy names: nobody may read it, and nobody started it.
        wanted = [Topic(plan.name, plan.partitions, 1, plan.config) for plan in self.plans] + [Topic(UNLISTED, 1, 1)]
        self.admin.create_topics(wanted)
        self.admin.wait_for_topics({topic.name: topic.partitions for topic in wanted})
        set_access(self.admin, cluster, self.policy, self.clock, add=True)
        start_partitions(cluster, ADMIN, OWNED, self.clock, Deadline(self.clock, 30))
        publish(cluster, ADMIN, self.policy)
        self.numbers = iter(range(1, 1_000_000))

    def close(self) -> None:
        """Let the connections go."""
        self.reader.close()

    def fresh(self, count: int, **changes: Any) -> list[dict[str, Any]]:
        """Sound events with ids that nobody used yet."""
        return [world.event(next(self.numbers), **changes) for _ in range(count)]

    def switch(self, **more: Any) -> Policy:
        """Publish the next version of the policy."""
        self.policy = sealed(self.policy.version + 1, **more)
        publish(self.cluster, ADMIN, self.policy)
        return self.policy

    def send(self, messages: Iterable[Message], at_ms: int = 0) -> list[tuple[Partition, int]]:
        """Produce, claiming to do so at `at_ms`, and return where each record stands."""
        producer = Producer(self.cluster.producer_config(ADMIN))
        sent = list(messages)
        places: dict[int, tuple[Partition, int]] = {}

        def report(number: int) -> Callable[[Any, Delivered], None]:
            def delivered(error: Any, message: Delivered) -> None:
                assert error is None, error.name()
                places[number] = (Partition(message.topic() or "", message.partition() or 0), message.offset() or 0)

            return delivered

        for number, (topic, partition, its_key, its_value) in enumerate(sent):
            producer.produce(topic, its_value, its_key, partition, on_delivery=report(number), timestamp=at_ms)
        assert producer.flush(30) == 0
        return [places[number] for number in range(len(sent))]

    def publish(self, records: Sequence[dict[str, Any]], at_ms: int = 0) -> list[tuple[Partition, int]]:
        """Publish events as a sound publisher does."""
        return self.send((message_of(record) for record in records), at_ms)

    def read(self, topic: str) -> list[InboxRecord]:
        """Every committed record of a topic."""
        return list(self.reader.read_to_end(topic))

    def blocks(self) -> list[Block]:
        """All decision blocks, after verifying each partition's chain."""
        records = sorted(self.read(topics.DECISIONS), key=lambda record: (record.partition, record.offset))
        keys = [f"{INBOX}/{number}".encode() for number in range(PARTITIONS)]
        return [block for each in keys for block in verify_chain(r.value or b"" for r in records if r.key == each)]

    def entries(self) -> dict[tuple[Partition, int], list[Entry]]:
        """What was decided at each place, first decision first."""
        found: dict[tuple[Partition, int], list[Entry]] = {}
        for block in self.blocks():
            for entry in block.entries:
                found.setdefault((Partition(block.inbox, block.partition), entry.offset), []).append(entry)
        return found

    def decided(self, places: Iterable[tuple[Partition, int]]) -> list[Entry]:
        """Wait until all `places` are decided; their first entries."""
        wanted = list(places)

        def decided() -> bool:
            marks = self.marks()  # cheaper to ask for than to read every block
            done = all(marks[partition][0] > offset for partition, offset in wanted if partition in marks)
            return done and self.entries().keys() >= set(wanted)

        eventually(decided, "every record is decided")
        made = self.entries()
        return [made[place][0] for place in wanted]

    def delivered(self) -> int:
        """How many views stand in the feeds."""
        return sum(len(self.read(view.feed)) for view in VIEWS)

    def marks(self) -> dict[Partition, tuple[int, str]]:
        """The group's committed offsets with their anchors."""
        return self.admin.group_offsets(group_name(self.cluster.deployment), OWNED)

    def move(self, marks: dict[Partition, tuple[int, str]]) -> None:
        """Commit other offsets and anchors for the group, as an operator's tool might."""
        group = group_name(self.cluster.deployment)
        consumer = Consumer(self.cluster.consumer_config(ADMIN, group))
        config = {**self.cluster.producer_config(ADMIN), **transactional_config("test-move", LoopSettings())}
        producer = Producer(config)
        producer.init_transactions(30)
        producer.begin_transaction()
        moved = [TopicPartition(*each, offset, metadata=anchor) for each, (offset, anchor) in marks.items()]
        producer.send_offsets_to_transaction(moved, consumer.consumer_group_metadata(), 30)
        producer.commit_transaction(30)
        consumer.close()
        eventually(lambda: self.marks().items() >= marks.items(), "the marks are moved")

    def standing(self) -> Standing:
        """What stands now."""
        written = [topic for topic in (plan.name for plan in self.plans) if topic not in (INBOX, topics.POLICY)]
        return Standing({topic: len(self.read(topic)) for topic in written}, self.marks())

    def settled(self) -> Standing:
        """What stands once each partition has acknowledged the policy in force: a worker's start changes nothing."""

        def acknowledged() -> bool:
            last = {block.partition: block.policy_version for block in self.blocks()}
            return last == dict.fromkeys(range(PARTITIONS), self.policy.version)

        if not acknowledged():
            with Worker(self):
                eventually(acknowledged, "each partition acknowledged the policy")
        return self.standing()

    def gapless(self) -> None:
        """Assert that each feed partition counts 1, 2, 3, … in the order of its log."""
        for view in VIEWS:
            records = self.read(view.feed)
            for number in range(PARTITIONS):
                mine = [sequence_of(record) for record in records if record.partition == number]
                assert mine == list(range(1, len(mine) + 1))


def message_of(record: dict[str, Any], **more: Any) -> Message:
    """An event as a sound publisher sends it, or with `key=`, `value=`, `partition=` in its place."""
    its_key = more.get("key", key(record))
    number = more.get("partition", partition_of(key(record), PARTITIONS))
    return Message(INBOX, number, its_key, more["value"] if "value" in more else value(record))


class Worker(LoopThread):
    """The wired exchange under its loop, as principal `exchange`, in a thread; what ended it is in `failure`.

    Used in a `with`, which stops it. `probe` may raise, to end it at a step.
    """

    def __init__(
        self,
        site: Site,
        probe: Callable[[str], None] = lambda _step: None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        settings = LoopSettings(batch_max_events=20, shared_max_events=20)
        self._reader = LogReader(site.cluster, EXCHANGE)
        self._policies = PolicyReader(site.cluster, EXCHANGE)
        handler = wiring.exchange_handler(
            site.cluster, 0, worker="test", reader=self._reader, policies=self._policies, registry=registry
        )
        loop = Loop(
            lambda: open_consumer(consumer_config(site.cluster, EXCHANGE, 0, settings)),
            open_producer(producer_config(site.cluster, EXCHANGE, 0, settings)),
            handler,
            settings,
            probe=probe,
        )
        super().__init__(loop)

    def __exit__(self, *_rest: object) -> None:
        super().__exit__()
        self._reader.close()
        self._policies.close()

    def ended(self) -> BaseException:
        """Wait for the worker to end by itself; why it did."""
        self.thread.join(60)
        assert not self.thread.is_alive(), "the worker went on"
        assert self.failure is not None, "the worker ended without a failure"
        return self.failure


class Killed(BaseException):
    """Ends the loop at a step: the open transaction is aborted, and the handler hears nothing more."""


def dying(step: str, times: int = 1) -> Callable[[str], None]:
    """A probe that ends the worker when it comes to `step` with a batch, the `times`-th time."""
    left = times
    decided = False

    def probe(reached: str) -> None:
        nonlocal left, decided
        decided = decided or reached == "decided"
        if reached == step and decided:
            left -= 1
            if not left:
                raise Killed

    return probe


def failing_on(refs: set[str]) -> Callable[..., Any]:
    """The reference projection with a defect of ours: it raises on the events with these ids."""
    made = reference_projector

    class Defective:
        def __init__(self, *args: Any, environment: str) -> None:
            del environment
            self._sound = made(*args)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._sound, name)

        def decide(self, scan: Any, view: Any, flags: Any) -> Any:
            if scan.event_id in refs:
                raise ZeroDivisionError("Quillfeather")
            return self._sound.decide(scan, view, flags)

    return Defective
