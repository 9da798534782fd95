"""The loop's two clients: each setting that exactly-once, order or take-over depends on, with its reason."""

from __future__ import annotations

from typing import Any, Protocol

from confluent_kafka import Consumer, Producer

from tidings.deployment import EXCHANGE, group_name, slot_name
from tidings.kafka.settings import LoopSettings

Config = dict[str, Any]

# Set by the broker or the group under the new protocol (`group.consumer.session.timeout.ms`); the client refuses them.
_CLASSIC_ONLY = ("session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy")


class ClientSettings(Protocol):
    """What the loop asks of a cluster: `tidings.kafka.cluster.Cluster` is one."""

    @property
    def deployment(self) -> str:
        """The deployment's id, part of every slot's name."""
        ...

    def client_config(self, principal: str) -> Config:
        """Addresses, TLS and credentials of a principal."""
        ...

    def consumer_config(self, principal: str, group: str) -> Config:
        """The same, and what every consumer of ours has in common."""
        ...

    def producer_config(self, principal: str) -> Config:
        """The same, and what every producer of ours has in common."""
        ...


def consumer_config(
    cluster: ClientSettings, principal: str, slot: int, settings: LoopSettings, part: str = EXCHANGE
) -> Config:
    """A slot's consumer: static member, read_committed, nothing committed or reset by itself."""
    name = slot_name(cluster.deployment, slot, part)
    config: Config = {
        **cluster.consumer_config(principal, group_name(cluster.deployment, part)),
        "client.id": name,
        "group.instance.id": name,
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # A partition without a committed offset, or with one that the log no longer holds, must never start silently.
        "auto.offset.reset": "error",
        "allow.auto.create.topics": False,
        # Otherwise a consumer that has prefetched enough waits a whole second before it asks for more.
        "fetch.queue.backoff.ms": 5,
        "fetch.error.backoff.ms": 50,
    }
    for name in _CLASSIC_ONLY:
        config.pop(name, None)
    if settings.group_protocol == "consumer":
        return {**config, "group.protocol": "consumer", "group.remote.assignor": "uniform"}
    return {
        **config,
        "group.protocol": "classic",
        # librdkafka's default (range, roundrobin) gave 8 inboxes of one partition to two workers as 8 and 0.
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.session_timeout_ms // 4,
    }


def producer_config(
    cluster: ClientSettings, principal: str, slot: int, settings: LoopSettings, part: str = EXCHANGE
) -> Config:
    """A slot's transactional producer."""
    name = slot_name(cluster.deployment, slot, part)
    return {
        **cluster.producer_config(principal),
        "client.id": name,
        **transactional_config(name, settings),
        # Nothing waits for it: the transactor flushes once all is produced.
        "linger.ms": settings.linger_ms,
        "queue.buffering.max.messages": settings.batch_max_messages,
        # Views are about as large as events, and there are several to each.
        "queue.buffering.max.kbytes": max(65_536, settings.batch_max_bytes * 8 // 1024),
    }


def transactional_config(transactional_id: str, settings: LoopSettings) -> Config:
    """What any transactional producer of ours adds to the common settings."""
    return {
        "transactional.id": transactional_id,
        "transaction.timeout.ms": settings.transaction_timeout_ms,
        "message.timeout.ms": settings.transaction_timeout_ms,
        "partitioner": "murmur2_random",
        "linger.ms": 0,
        # The default (100) makes every second transaction wait 100 ms for the one before to be finished by the broker.
        "retry.backoff.ms": settings.retry_backoff_ms,
        "compression.type": settings.compression,
    }


def open_consumer(config: Config) -> Consumer:
    """A consumer that is not yet subscribed."""
    return Consumer(config)


def open_producer(config: Config) -> Producer:
    """A producer whose transactions are not yet initialised."""
    return Producer(config)
