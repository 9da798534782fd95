"""The policy on a real broker: whole or not at all, newest, and what its manifest says."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from tests.eventually import eventually
from tests.tidings.kafka.kit import PRINCIPAL, Log
from tidings.errors import Fatal
from tidings.kafka import policy_store
from tidings.kafka.policy_left import what_is_left
from tidings.kafka.policy_store import PolicyReader, current_version, publish
from tidings.log import Partition
from tidings.policy import codec
from tidings.policy.model import Environment, Inbox, Policy

pytestmark = pytest.mark.broker


@pytest.fixture
def where(log: Log, monkeypatch: pytest.MonkeyPatch) -> Partition:
    """A policy topic of this test's own."""
    topic = f"policy.{log.name}"
    log.make({topic: 1}, **{"cleanup.policy": "compact"})
    monkeypatch.setattr(policy_store, "WHERE", Partition(topic, 0))
    return Partition(topic, 0)


def policy(version: int, inboxes: int = 0) -> Policy:
    """A sealed policy; with many inboxes it needs several parts."""
    made = tuple(
        Inbox(
            topic=f"inbox.a.t{number}",
            agency="a",
            event_type=f"t{number}",
            partitions=1,
            reader_schema={"doc": f"{number}" * 2_000},
            writer_schemas={},
            checks=(),
            deduplication_window_events=1,
        )
        for number in range(inboxes)
    )
    return codec.sealed(
        Policy(version=version, environment=Environment.SYNTHETIC, created_at_ms=0, inboxes=made, views=())
    )


def test_a_policy_of_several_parts_comes_back(log: Log, where: Partition) -> None:
    """What is published is read back equal, parts and all."""
    big = policy(1, 500)
    publish(log.cluster, PRINCIPAL, big)

    with PolicyReader(log.cluster, PRINCIPAL) as reader:
        assert reader.load() == big
        assert reader.newer() is None
        assert reader.load() == big
    assert len(codec.encode(big)) > 1
    assert where.partition == 0


def test_a_newer_policy_is_followed(log: Log, where: Partition) -> None:
    """A running reader sees a newer version once, and the newest where several came."""
    publish(log.cluster, PRINCIPAL, policy(1))
    with PolicyReader(log.cluster, PRINCIPAL) as reader:
        reader.load()
        publish(log.cluster, PRINCIPAL, policy(2))
        publish(log.cluster, PRINCIPAL, policy(3, 500))
        seen: list[int] = []

        def third() -> bool:
            newer = reader.newer()
            if newer is not None:
                seen.append(newer.version)
            return 3 in seen

        eventually(third, "version 3")
        assert seen in ([3], [2, 3])
        assert reader.newer() is None
    assert current_version(log.cluster, PRINCIPAL) == 3
    assert where.topic.startswith("policy.")


def test_a_version_is_published_once(log: Log, where: Partition) -> None:
    """A version that is there already, or an older one, is refused."""
    publish(log.cluster, PRINCIPAL, policy(2))

    for version in (1, 2):
        with pytest.raises(Fatal, match="there already"):
            publish(log.cluster, PRINCIPAL, policy(version))
    assert where.partition == 0


def test_no_policy_is_fatal(log: Log, where: Partition) -> None:
    """Where none was published, a worker does not start."""
    with PolicyReader(log.cluster, PRINCIPAL) as reader, pytest.raises(Fatal, match="tidings apply"):
        reader.load()
    assert where.partition == 0


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        ({"parts": ["00" * 32]}, "damaged"),
        ({"hash": "00" * 32}, "hash differs"),
        ({"version": 9}, "incomplete"),
        ({"parts": 3}, "cannot be read"),
    ],
)
def test_a_damaged_policy_is_fatal(log: Log, where: Partition, damage: dict[str, Any], match: str) -> None:
    """A policy that is not what its manifest says is refused, at the start and while running."""
    good = policy(1)
    parts = codec.encode(good)
    manifest = {"version": 1, "hash": good.hash, "parts": [hashlib.sha256(part).hexdigest() for part in parts]} | damage
    publish_raw(log, where, {b"1/0": parts[0], b"current": orjson.dumps(manifest)})

    with PolicyReader(log.cluster, PRINCIPAL) as reader, pytest.raises(Fatal, match=match):
        reader.load()


def test_a_damaged_manifest_is_mended_from_the_newest_whole_version(log: Log, where: Partition) -> None:
    """The version and what it had stopped are known still: the next one is published over it, and loads."""
    stopped = codec.sealed(policy(2).model_copy(update={"stops": ("agreement:x",)}))
    publish(log.cluster, PRINCIPAL, policy(1))
    publish(log.cluster, PRINCIPAL, stopped)
    assert what_is_left(log.cluster, PRINCIPAL, Environment.SYNTHETIC) == (stopped, "")
    publish_raw(log, where, {b"current": b"{}"})

    found = what_is_left(log.cluster, PRINCIPAL, Environment.SYNTHETIC)

    assert found.policy == stopped
    assert "cannot be read" in found.damaged
    with pytest.raises(Fatal, match="version 2 is there already"):
        publish(log.cluster, PRINCIPAL, policy(2))
    publish(log.cluster, PRINCIPAL, policy(3))
    with PolicyReader(log.cluster, PRINCIPAL) as reader:
        assert reader.load() == policy(3)


@pytest.mark.parametrize("older", [0, 1])
def test_what_a_lost_version_had_stopped_stays_stopped(log: Log, where: Partition, older: int) -> None:
    """A part of the newest version is damaged: an older one, or none, is left, with everything stopped."""
    for version in range(older + 2):
        if version:
            publish(log.cluster, PRINCIPAL, policy(version, version))
    publish_raw(log, where, {f"{older + 1}/0".encode(): b"{"})

    found = what_is_left(log.cluster, PRINCIPAL, Environment.SYNTHETIC)

    assert "damaged" in found.damaged
    assert found.policy is not None
    assert (found.policy.version, found.policy.stops) == (older + 1, ("all",))
    assert len(found.policy.inboxes) == older


def publish_raw(log: Log, where: Partition, records: dict[bytes, bytes]) -> None:
    """Write records as they are."""
    producer = Producer(log.cluster.producer_config(PRINCIPAL))
    for key, value in records.items():
        producer.produce(where.topic, value, key, where.partition)
    assert producer.flush(10) == 0
