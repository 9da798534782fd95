"""Every derived processor on Faust and a real broker comes to what `TestProcessor` comes to, through all that happens.

One life each, side by side: killed (SIGKILL) in the middle of its work, its disk lost, poison and an aborted
transaction among its records, a newer writer, drained and started again; then a new version that reads from zero.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer

from stream_processors.host.declaration import Processor
from stream_processors.host.discover import load_processors
from stream_processors.host.harness import TestProcessor
from stream_processors.host.needs import changelog_topic, needs_of, quarantine_topic
from stream_processors.host.rows import Row, names_of
from tests.compliance import processor_process
from tests.compliance.processor_events import PARTITIONS, Given, encoded, given, policy
from tests.eventually import eventually
from tests.forked import Forked
from tidings.clock import StillClock
from tidings.errors import Fatal
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.clients import transactional_config
from tidings.kafka.read import LogReader
from tidings.kafka.settings import LoopSettings
from tidings.policy.model import Policy
from tidings.quarantine import decode_quarantine

if TYPE_CHECKING:
    from deploy.local.stack import Stack
    from tidings.kafka.cluster import Cluster

pytestmark = pytest.mark.broker

EVOLVED = 20_000
AN_INBOX = "inbox.gro.birth-registered"
JUNK = b"\x00junk that is no record"
ADMIN = "admin"
_OF_THE_TESTS_DAY = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}


@dataclass
class Life:
    """One processor on the broker, and the same in memory that has been given the same."""

    site: Site
    processor: Processor
    memory: TestProcessor
    process: Forked | None = None
    log: Path = field(default=Path())

    @property
    def data(self) -> Path:
        """Where its tables are."""
        return self.site.folder / self.processor.name

    def start(self, *, kill_after: int | None = None, version: int | None = None) -> None:
        """Begin a process."""
        name, cluster = self.processor.name, self.site.cluster
        settings = {
            "name": name, "version": version or self.processor.version, "now_ms": StillClock().now_ms(),
            "policy": self.memory.policy.model_dump(mode="json"), "schemas": self.site.schemas,
            "bootstrap_servers": cluster.bootstrap_servers, "ca_file": str(cluster.ca_file),
            "principal": f"processor-{name}", "data": str(self.data), "kill_after": kill_after,
            "password_file": str(cluster.credentials_dir / f"processor-{name}.password"),
        }  # fmt: skip
        path = self.site.folder / f"{name}.json"
        path.write_text(json.dumps(settings))
        self.log = self.site.folder / f"{name}.log"
        self.process = Forked(processor_process.__name__, str(path), self.log)

    def ended(self) -> int:
        """Wait for the process to end; its exit code."""
        assert self.process is not None
        return self.process.wait(60)

    def drain(self) -> None:
        """Tell it to stop, and see that it ended well."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.ended() == 0, self.log.read_text()

    def rows(self, version: int | None = None) -> dict[str, dict[tuple[str, str], Any]]:
        """Every table's rows as its changelog has them."""
        mine = replace(self.processor, version=version or self.processor.version)
        found: dict[str, dict[tuple[str, str], Any]] = {}
        for table in mine.tables:
            newest = self.site.newest(changelog_topic(mine, table.name))
            decoded = {names_of(key): Row.decode(stored).value for key, stored in newest.items()}
            found[table.name] = {key: value for key, value in decoded.items() if value is not None}
        return found

    def latest(self) -> dict[str, dict[bytes, bytes]]:
        """The newest record under each key of what it writes."""
        return {topic: self.site.newest(topic) for topic in self.written()}

    def written(self) -> list[str]:
        """What it writes, quarantine apart."""
        topics = [topic for topic, _ in needs_of(self.processor, policy()).schemas]
        return [topic for topic in topics if topic != quarantine_topic(self.processor)]

    def same(self, version: int | None = None) -> bool:
        """Whether the broker holds what memory holds."""
        here = {topic: {key.encode(): value for key, value in self.memory._sent[topic]} for topic in self.written()}
        return self.rows(version) == self.memory.state() and self.latest() == here


class Site:
    """A broker with the topics, principals and access of every processor, and records of all that they read."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.cluster: Cluster = stack.cluster
        self.folder = folder
        self.admin = Admin(self.cluster)
        self.schemas: dict[str, Any] = {}
        self._producer = self._new_producer()
        in_force: Policy = policy()
        self.lives = [Life(self, each, TestProcessor(each, in_force)) for each in load_processors()]
        sources: dict[str, None] = {}
        topics: dict[str, Topic] = {}
        for life in self.lives:
            for version in (life.processor.version, life.processor.version + 1):
                needs = needs_of(replace(life.processor, version=version), in_force)
                sources |= dict.fromkeys(needs.reads)
                topics |= {plan.name: Topic(plan.name, plan.partitions, 1, plan.config) for plan in needs.plans}
                self.admin.create_acls(needs.access())
            path = self.cluster.credentials_dir / f"{needs.principal}.password"
            path.touch(mode=0o600)
            path.write_text(f"secret-of-{needs.principal}")
            self.admin.set_password(needs.principal, f"secret-of-{needs.principal}")
        topics |= {name: Topic(name, PARTITIONS, 1, _OF_THE_TESTS_DAY) for name in sources}
        self.admin.create_topics([*topics.values(), Topic(AN_INBOX, 1, 1)])
        self.reader = LogReader(self.cluster, ADMIN)

    def publish(self, records: list[tuple[str, int, int, bytes | None, bytes | None]], *, commit: bool = True) -> None:
        """Produce (topic, partition, time, key, value) in one transaction."""
        self._producer.begin_transaction()
        for topic, partition, at_ms, key, value in records:
            self._producer.produce(topic, value, key, partition, timestamp=at_ms)
        self._producer.flush(30)
        if commit:
            self._producer.commit_transaction(30)
        else:
            self._producer.abort_transaction(30)

    def newest(self, topic: str) -> dict[bytes, bytes]:
        """The newest committed value under each key."""
        found: dict[bytes, bytes] = {}
        for record in self.reader.read_to_end(topic):
            if record.value is None:
                found.pop(record.key or b"", None)
            else:
                found[record.key or b""] = record.value
        return found

    def _new_producer(self) -> Producer:
        config = {**self.cluster.producer_config(ADMIN), **transactional_config("test-sources", LoopSettings())}
        producer = Producer(config)
        producer.init_transactions(30)
        return producer


@pytest.fixture(scope="module")
def site(spare_broker: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Not on the broker where the exchange is tried: the processors' topics have fixed names."""
    made = Site(spare_broker, tmp_path_factory.mktemp("processors"))
    yield made
    for life in made.lives:
        if life.process is not None and life.process.poll() is None:
            life.process.kill()
            life.process.wait(10)
    made.reader.close()


def test_every_processor_through_all_that_happens(site: Site) -> None:
    """See the module."""
    everything = _all_given(site)
    first, then = everything[: len(everything) // 2], [_evolved(each) for each in everything[len(everything) // 2 :]]
    for each in (*first, *then):
        _value(site, each)  # a process knows from the start which schemas there are
    _publish(site, first)
    for life in site.lives:
        life.start(kill_after=5)
    for life in site.lives:
        assert life.ended() == -signal.SIGKILL, life.log.read_text()
        shutil.rmtree(life.data)

    topics = sorted({each.topic for each in everything})
    site.publish([(topic, 0, everything[0].at_ms, None, _value(site, everything[0])) for topic in topics], commit=False)
    site.publish([(topic, 0, everything[0].at_ms, None, value) for topic in topics for value in (None, JUNK)])
    for life in site.lives:
        for topic in life.memory._reads:
            for value in (None, JUNK):
                life.memory.send_bytes(topic, value, at_ms=everything[0].at_ms)
        life.start()
    for life in site.lives:
        eventually(life.same, f"{life.processor.name} recovered", every=0.5)
    _publish(site, then)
    for life in site.lives:
        eventually(life.same, f"{life.processor.name} took in the rest", every=0.5)
        life.drain()
        life.start(version=life.processor.version + 1)
    for life in site.lives:
        anew = partial(life.same, life.processor.version + 1)
        eventually(anew, f"{life.processor.name} made anew", every=0.5)
        life.drain()
        _check_quarantine(life)
        _check_log(life)
        _check_access(life)


def _all_given(site: Site) -> list[Given]:
    found: dict[str, Given] = {}
    for life in site.lives:
        for number, each in enumerate(given(life.processor, policy())):
            found[f"{each.topic}/{number if each.topic != 'exchange.decisions' else each.at_ms}"] = each
    return sorted(found.values(), key=lambda each: each.at_ms)


def _evolved(each: Given) -> Given:
    """The same record by a writer that has a field more."""
    added = {"name": "added_later", "type": ["null", "string"], "default": None}
    schema = {**each.schema, "fields": [added, *each.schema["fields"]]}
    return replace(each, schema=schema, value={**each.value, "added_later": "x"})


def _publish(site: Site, records: list[Given]) -> None:
    """To the broker, and to each processor in memory that reads it."""
    site.publish([(each.topic, each.partition, each.at_ms, each.key, _value(site, each)) for each in records])
    for life in site.lives:
        for each in records:
            if each.topic in life.memory._reads:
                life.memory.send(
                    each.topic, each.value, at_ms=each.at_ms, partition=each.partition, schema=each.schema,
                    key=each.key,
                )  # fmt: skip


def _value(site: Site, each: Given) -> bytes:
    numbers = {json.dumps(schema): int(number) for number, schema in site.schemas.items()}
    number = numbers.get(json.dumps(each.schema), EVOLVED + len(numbers))
    site.schemas[str(number)] = each.schema
    return encoded(each.schema, each.value, number)


def _check_quarantine(life: Life) -> None:
    """The poison, and nothing else, however often it came."""
    topic = quarantine_topic(life.processor)
    records = [decode_quarantine(each.value or b"") for each in life.site.reader.read_to_end(topic)]
    codes = {(each.inbox, each.code) for each in records}

    assert codes == {(name, code) for name in life.memory._reads for code in ("null_value", "schema_unknown")}


def _check_log(life: Life) -> None:
    """Lines of ours only, none with anything of a record."""
    lines = [json.loads(line) for line in life.log.read_text().splitlines()]

    assert {line["event"] for line in lines} <= {"event set aside", "library warns", "task failed"}
    assert "junk" not in life.log.read_text()


def _check_access(life: Life) -> None:
    """The broker gives it its own topics, and no inbox."""
    with LogReader(life.site.cluster, f"processor-{life.processor.name}") as reader:
        for topic in needs_of(life.processor, policy()).reads:
            assert len(reader.partitions(topic)) == PARTITIONS
        with pytest.raises(Fatal):
            reader.partitions(AN_INBOX)
