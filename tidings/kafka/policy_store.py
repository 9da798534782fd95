"""The policy on the log: published in one transaction, read to the end, checked by hash, followed while running.

`exchange.policy` has one partition and is compacted. A version's parts stand under `<version>/<part>`; `current` holds
the manifest, `{"version", "hash", "parts": [sha256, …]}`, and is the only key that is ever written again.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from tidings import topics
from tidings.clock import Clock, SystemClock
from tidings.closing import Closing
from tidings.errors import Fatal
from tidings.kafka.clients import ClientSettings, transactional_config
from tidings.kafka.polling import record_of
from tidings.kafka.read import LogReader
from tidings.kafka.retry import attempt
from tidings.kafka.settings import LoopSettings
from tidings.kafka.transact import Transactor
from tidings.log import InboxRecord, Message, Partition, Transaction
from tidings.policy import codec
from tidings.policy.model import Policy

CURRENT = b"current"
WHERE = Partition(topics.POLICY, 0)
DRAIN_RECORDS = 1_000


def publish(cluster: ClientSettings, principal: str, policy: Policy, clock: Clock | None = None) -> None:
    """Publish `policy`, its parts and its manifest, in one transaction, as `principal`.

    A second publisher is fenced: the transactional id is the deployment's. Raises Fatal where a policy of this version
    or a newer one is there already (versions are immutable), Retriable or Abortable where the broker stays away.
    """
    clock = clock or SystemClock()
    settings = LoopSettings()
    config = cluster.producer_config(principal)
    transactional_id = f"policy-{cluster.deployment}"
    producer = Producer({**config, **transactional_config(transactional_id, settings)})
    transactor = Transactor(producer, settings, clock, lambda _step: None)
    transactor.start()
    there = current_version(cluster, principal, clock)
    if there >= policy.version:
        raise Fatal(f"policy {policy.version} cannot be published: version {there} is there already")
    transactor.run(Transaction(messages_of(policy)), {}, {}, None)


def messages_of(policy: Policy) -> list[Message]:
    """The records of one policy: its parts, then the manifest."""
    parts = codec.encode(policy)
    messages = [Message(*WHERE, f"{policy.version}/{number}".encode(), part) for number, part in enumerate(parts)]
    manifest = {
        "version": policy.version,
        "hash": codec.policy_hash(policy),
        "parts": [hashlib.sha256(part).hexdigest() for part in parts],
    }
    return [*messages, Message(*WHERE, CURRENT, orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS))]


def current_version(cluster: ClientSettings, principal: str, clock: Clock | None = None) -> int:
    """The newest version that a part or the manifest announces, whole or not; 0 where none does."""
    records = policy_records(cluster, principal, clock)
    return max((announced_version(*each) for each in records.items()), default=0)


def policy_records(cluster: ClientSettings, principal: str, clock: Clock | None = None) -> dict[bytes, bytes]:
    """The last value of each key of `exchange.policy`. Raises Retriable where the broker stays silent."""
    with LogReader(cluster, principal, clock) as reader:
        records = reader.read_range(WHERE, 0, reader.ends([WHERE])[WHERE])
        return {each.key: each.value for each in records if each.key is not None and each.value is not None}


def announced_version(key: bytes, value: bytes) -> int:
    """The version that a record of `exchange.policy` belongs to, damaged as it may be; 0 where it names none."""
    if key == CURRENT:
        try:
            version = orjson.loads(value)["version"]
        except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
            return 0
        return version if type(version) is int else 0
    number = key.partition(b"/")[0]
    return int(number) if number.isdigit() else 0


class PolicyReader(Closing):
    """Reads the policy in force and follows it. One thread; close it, or use `with`."""

    def __init__(self, cluster: ClientSettings, principal: str, clock: Clock | None = None) -> None:
        self._cluster = cluster
        self._principal = principal
        self._clock = clock or SystemClock()
        self._consumer: Consumer | None = None
        self._parts: dict[bytes, bytes] = {}
        self._manifest: bytes | None = None
        self._version = 0

    def close(self) -> None:
        """Let the connection go."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def load(self) -> Policy:
        """The policy in force. Raises Fatal where there is none, or where it is not what its manifest says."""
        policy = self.read()
        if policy is None:
            raise Fatal("no policy has been published: run `tidings apply`")
        return policy

    def read(self) -> Policy | None:
        """The policy in force, read up to the topic's end, or None where none was ever published. Later calls of
        `newer` go on from there. Raises as `load` does, and Retriable where the broker stays silent."""
        self._version = 0
        with LogReader(self._cluster, self._principal, self._clock) as reader:
            end = reader.ends([WHERE])[WHERE]
            for record in reader.read_range(WHERE, 0, end):
                self._keep(record)
        self._follow(end)
        return self._assemble()

    def newer(self) -> Policy | None:
        """A policy newer than the one last returned, or None. Never waits: microseconds where nothing came.

        Raises Fatal where what came is not what its manifest says: a worker that cannot load the policy stops.
        """
        if self._consumer is None:
            raise Fatal("load the policy before following it")
        found = False
        consumer = self._consumer
        for message in attempt(lambda: consumer.consume(DRAIN_RECORDS, 0), "following the policy"):
            error = message.error()
            if error is None:
                found = self._keep(record_of(message)) or found
            elif error.fatal() or error.name() == "_AUTO_OFFSET_RESET":
                raise Fatal(f"following the policy: {error.name()}")
        return self._assemble() if found else None

    def _follow(self, offset: int) -> None:
        self.close()
        config = {
            **self._cluster.consumer_config(self._principal, f"{self._principal}.policy"),
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
        }
        self._consumer = Consumer(config)
        self._consumer.assign([TopicPartition(WHERE.topic, WHERE.partition, offset)])

    def _keep(self, record: InboxRecord) -> bool:
        """Keep a part or the manifest. Returns whether it was a manifest."""
        if record.key == CURRENT and record.value is not None:
            self._manifest = record.value
            return True
        if record.key is not None and record.value is not None:
            self._parts[record.key] = record.value
        return False

    def _assemble(self) -> Policy | None:
        if self._manifest is None:
            return None
        # Only the last manifest counts: a damaged one that was mended since stops nobody.
        manifest = manifest_of(self._manifest)
        version = manifest["version"]
        if version <= self._version:
            return None
        parts = [self._part(version, number, digest) for number, digest in enumerate(manifest["parts"])]
        try:
            policy = codec.decode(parts, manifest["hash"])
        except ValueError:
            failure = Fatal(f"policy {version} cannot be decoded")
        else:
            self._version = version
            self._parts.clear()
            return policy
        raise failure

    def _part(self, version: int, number: int, digest: str) -> bytes:
        part = self._parts.get(f"{version}/{number}".encode())
        if part is None:
            raise Fatal(f"policy {version} is incomplete: part {number} is missing")
        if hashlib.sha256(part).hexdigest() != digest:
            raise Fatal(f"policy {version} is damaged: part {number} is not what its manifest says")
        return part


def manifest_of(value: bytes) -> dict[str, Any]:
    """A manifest's fields. Raises Fatal where it is not one."""
    try:
        manifest = orjson.loads(value)
        checked = {"version": int(manifest["version"]), "hash": str(manifest["hash"]), "parts": list(manifest["parts"])}
    except (ValueError, KeyError, TypeError):
        raise Fatal("the policy's manifest cannot be read") from None
    return checked
