"""What the loop's tests share: a namespace on a broker, a handler that copies, and workers in threads and processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.eventually import eventually
from tests.loop_thread import LoopThread
from tidings.clock import Deadline, SystemClock
from tidings.errors import Fatal
from tidings.kafka.clients import consumer_config, open_consumer, open_producer, producer_config
from tidings.kafka.loop import Loop
from tidings.kafka.read import LogReader
from tidings.kafka.retry import retry
from tidings.kafka.settings import LoopSettings
from tidings.kafka.snapshot import Snapshot
from tidings.log import InboxRecord, Message, Partition, Position, Transaction

PRINCIPAL = "admin"


def commit_offsets(consumer: Consumer, offsets: list[TopicPartition]) -> None:
    """Commit for the group of `consumer`, which joined none, then close it. A broker that has just begun loads its
    groups first, and says so."""
    clock = SystemClock()
    try:
        retry(lambda: consumer.commit(offsets=offsets, asynchronous=False), "committing", Deadline(clock, 60), clock)
    finally:
        consumer.close()


@dataclass(frozen=True)
class PlainCluster:
    """A broker without TLS, for development of these tests."""

    bootstrap: str
    deployment: str = "main"

    def client_config(self, principal: str) -> dict[str, Any]:
        """See `Cluster.client_config`."""
        return {"bootstrap.servers": self.bootstrap, "client.id": principal}

    def consumer_config(self, principal: str, group: str) -> dict[str, Any]:
        """See `Cluster.consumer_config`."""
        return {**self.client_config(principal), "group.id": group}

    def producer_config(self, principal: str) -> dict[str, Any]:
        """See `Cluster.producer_config`."""
        return self.client_config(principal)


@dataclass(frozen=True)
class Deployed:
    """A cluster under another deployment's name, so that each test has its own group and slots."""

    cluster: Any
    deployment: str

    def client_config(self, principal: str) -> dict[str, Any]:
        """See `Cluster.client_config`."""
        return dict(self.cluster.client_config(principal))

    def consumer_config(self, principal: str, group: str) -> dict[str, Any]:
        """See `Cluster.consumer_config`."""
        return dict(self.cluster.consumer_config(principal, group))

    def producer_config(self, principal: str) -> dict[str, Any]:
        """See `Cluster.producer_config`."""
        return dict(self.cluster.producer_config(principal))


def numbers(count: int, first: int = 0) -> list[bytes]:
    """Values that tell their order."""
    return [b"%d" % number for number in range(first, first + count)]


@cache
def _admin_of(cluster: Any) -> AdminClient:
    """One for all tests: each connection costs a handshake."""
    return AdminClient(cluster.client_config(PRINCIPAL))


class Log:
    """One test's topics on a broker: inboxes, one output, one topic of decisions."""

    def __init__(self, cluster: Any, name: str) -> None:
        self.name = name
        self.cluster = Deployed(cluster, name)
        self.admin = _admin_of(cluster)
        self.output = f"out.{name}"
        self.decisions = f"decisions.{name}"
        self.inboxes: list[str] = []

    @cached_property
    def reader(self) -> LogReader:
        """Reads what is committed."""
        return LogReader(self.cluster, PRINCIPAL)

    @cached_property
    def _asking(self) -> Consumer:
        """Asks for the group's offsets and never joins it."""
        return Consumer(self.cluster.consumer_config(PRINCIPAL, f"exchange-{self.name}"))

    def close(self) -> None:
        """Let the connections go."""
        if "reader" in self.__dict__:
            self.reader.close()
        if "_asking" in self.__dict__:
            self._asking.close()

    def make(self, topics: dict[str, int], **config: str) -> None:
        """Make topics with these partition counts and wait until the broker serves them."""
        made = self.admin.create_topics([NewTopic(name, count, 1, config=config) for name, count in topics.items()])
        for future in made.values():
            future.result(30)
        for name, count in topics.items():
            eventually(lambda name=name, count=count: self._has(name, count), f"topic {name}")  # type: ignore[misc]

    def _has(self, topic: str, partitions: int) -> bool:
        found = self.admin.list_topics(topic, timeout=5).topics[topic]
        return found.error is None and len(found.partitions) == partitions

    def set_up(self, inboxes: int = 1, partitions: int = 1, *, genesis: bool = True) -> None:
        """Make inboxes and what the copier writes to, with offset 0 committed as `tidings apply` does."""
        self.inboxes = [f"inbox.{self.name}.t{number}" for number in range(inboxes)]
        self.make({**dict.fromkeys(self.inboxes, partitions), self.output: inboxes * partitions, self.decisions: 2})
        if genesis:
            self.commit({Partition(topic, n): 0 for topic in self.inboxes for n in range(partitions)})

    def commit(self, offsets: dict[Partition, int], anchor: str = "genesis") -> None:
        """Commit offsets for the deployment's group, which has no members."""
        marks = [TopicPartition(each.topic, each.partition, at, metadata=anchor) for each, at in offsets.items()]
        commit_offsets(Consumer(self.cluster.consumer_config(PRINCIPAL, f"exchange-{self.name}")), marks)

    def committed(self, partition: Partition) -> tuple[int, str]:
        """The deployment's committed offset and anchor of one partition."""
        asked = ConsumerGroupTopicPartitions(
            f"exchange-{self.name}", [TopicPartition(partition.topic, partition.partition)]
        )
        found = next(iter(self.admin.list_consumer_group_offsets([asked]).values())).result(10)
        mark = found.topic_partitions[0]
        return mark.offset, mark.metadata or ""

    def finished(self) -> int:
        """How many inbox offsets are committed; the publishers write no transactions, so an offset is a record."""
        found = self._asking.committed(
            [each for topic in self.inboxes for each in self._partitions_of(topic)], timeout=30
        )
        return sum(max(0, each.offset) for each in found)

    def members(self) -> int:
        """How many members the deployment's group has now."""
        group = f"exchange-{self.name}"
        return len(self.admin.describe_consumer_groups([group])[group].result(10).members)

    def _partitions_of(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, each.partition) for each in self.reader.partitions(topic)]

    def publish(self, values: Iterable[bytes], inboxes: Sequence[str] | None = None, partitions: int = 1) -> None:
        """Publish `values`, dealt over the inboxes' partitions in turn."""
        producer = Producer({**self.cluster.producer_config(PRINCIPAL), "linger.ms": 5})
        targets = [(topic, n) for topic in (inboxes or self.inboxes) for n in range(partitions)]
        for number, value in enumerate(values):
            topic, partition = targets[number % len(targets)]
            while True:
                try:
                    producer.produce(topic, value, b"k", partition)
                    break
                except BufferError:
                    producer.poll(0.1)
        assert producer.flush(30) == 0

    def copied(self) -> dict[int, list[bytes]]:
        """What a read_committed reader sees of the output, by partition, as `sequence:value`."""
        seen: dict[int, list[bytes]] = {}
        for record in self.reader.read_to_end(self.output):
            seen.setdefault(record.partition, []).append(record.value or b"")
        return seen

    def expected(self) -> dict[int, list[bytes]]:
        """What the output must be: every inbox record once, in order, with gapless sequences."""
        wanted: dict[int, list[bytes]] = {}
        for number, topic in enumerate(self.inboxes):
            partitions = self.reader.partitions(topic)
            for record in self.reader.read_to_end(topic):
                out = wanted.setdefault(number * len(partitions) + record.partition, [])
                out.append(b"%d:%s" % (len(out), record.value or b""))
        return wanted

    def copied_count(self) -> int:
        """How many copies a read_committed reader sees."""
        return sum(map(len, self.copied().values()))


@dataclass
class Copier:
    """A handler that copies each record to the output with a sequence, which lives in the decision blocks alone."""

    log: Log
    factor: int = 1
    anchored: bool = True
    topics: list[str] = field(default_factory=list)
    sequences: dict[Partition, int] = field(default_factory=dict)
    taken: list[Position] = field(default_factory=list)
    given: list[Partition] = field(default_factory=list)
    batches: list[list[InboxRecord]] = field(default_factory=list)
    aborts: int = 0
    switch: bool = False
    _next: dict[Partition, int] = field(default_factory=dict)

    def inboxes(self) -> Sequence[str]:
        """See `Handler`."""
        return self.topics or self.log.inboxes

    def take(self, positions: Sequence[Position]) -> None:
        """See `Handler`: the sequence goes on from the anchor's block."""
        for position in positions:
            assert position.partition not in self.sequences, "taken twice"
            self.sequences[position.partition] = self._sequence(position)
            self.taken.append(position)

    def _sequence(self, position: Position) -> int:
        if position.anchor == "genesis":
            return 0
        partition, offset = position.anchor.split(":")
        block = self.log.reader.record_at(Partition(self.log.decisions, int(partition)), int(offset))
        if block is None or block.value is None:
            raise Fatal("no block at the anchor")
        found = json.loads(block.value)
        if found["end"] != position.offset or found["inbox"] != list(position.partition):
            raise Fatal("the anchor's block is about something else")
        return int(found["next"])

    def give(self, partitions: Sequence[Partition]) -> None:
        """See `Handler`."""
        for partition in partitions:
            self.sequences.pop(partition, None)
            self.given.append(partition)

    def decide(self, records: Sequence[InboxRecord], now_ms: int) -> Transaction:
        """See `Handler`."""
        del now_ms
        self.batches.append(list(records))
        following = dict(self.sequences)
        messages: list[Message] = []
        offsets: dict[Partition, int] = {}
        for record in records:
            owner = Partition(record.topic, record.partition)
            for _ in range(self.factor):
                messages.append(self._copy(record, following[owner]))
                following[owner] += 1
            offsets[owner] = record.offset + 1
        self._next = following
        blocks = {owner: self._blocks(owner, following[owner], end) for owner, end in offsets.items()}
        return Transaction(messages, blocks if self.anchored else {}, offsets)

    def _copy(self, record: InboxRecord, sequence: int) -> Message:
        number = self.log.inboxes.index(record.topic)
        partitions = len({each.partition for each in self.sequences if each.topic == record.topic} | {record.partition})
        partition = number if len(self.log.inboxes) > 1 else record.partition
        assert partitions == 1 or len(self.log.inboxes) == 1
        return Message(self.log.output, partition, record.key, b"%d:%s" % (sequence, record.value or b""))

    def _blocks(self, owner: Partition, following: int, end: int) -> list[Message]:
        last = json.dumps({"inbox": owner, "next": following, "end": end}).encode()
        where = owner.partition % 2
        return [Message(self.log.decisions, where, b"part", b"{}"), Message(self.log.decisions, where, b"last", last)]

    def idle(self, now_ms: int) -> Transaction | None:
        """See `Handler`: acknowledges once where a test sets `switch`."""
        del now_ms
        if not self.switch or not self.sequences:
            return None
        self._next = dict(self.sequences)
        blocks = {
            owner: [Message(self.log.decisions, 0, b"switch", json.dumps({"inbox": owner, "switch": True}).encode())]
            for owner in self.sequences
        }
        return Transaction([], blocks)

    def committed(self, anchors: dict[Partition, str]) -> None:
        """See `Handler`."""
        self.switch = False
        del anchors
        self.sequences = self._next

    def aborted(self) -> None:
        """See `Handler`."""
        self.aborts += 1


class Worker(LoopThread):
    """A loop in a thread of this process."""

    def __init__(
        self,
        log: Log,
        slot: int = 0,
        *,
        handler: Copier | None = None,
        settings: LoopSettings | None = None,
        probe: Callable[[str], None] = lambda _step: None,
        producer: Any = None,
        consumer: Any = None,
    ) -> None:
        settings = settings or LoopSettings()
        self.handler = handler or Copier(log)
        self.snapshots: list[Snapshot] = []
        made = (producer or open_producer)(producer_config(log.cluster, PRINCIPAL, slot, settings))
        loop = Loop(
            lambda: (consumer or open_consumer)(consumer_config(log.cluster, PRINCIPAL, slot, settings)),
            made,
            self.handler,
            settings,
            observer=self.snapshots.append,
            probe=probe,
        )
        super().__init__(loop)

    @property
    def loop_started(self) -> bool:
        """Whether it has taken its slot over."""
        return bool(self.snapshots)

    @property
    def partitions(self) -> set[Partition]:
        """What the last snapshot says is owned."""
        return set(self.snapshots[-1].partitions) if self.snapshots else set()
