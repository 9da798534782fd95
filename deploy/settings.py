"""The broker settings that the exchange's promises rest on: one table for the local stack, compose and Kubernetes.

Source of the names: Kafka 4.3 documentation, "Broker Configs".
"""

from __future__ import annotations

AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
SUPER_USER = "admin"
_DAY_MINUTES = 24 * 60

# Above every inbox's retention: a group's offsets must not expire before the records that they point into.
OFFSETS_RETENTION_DAYS = 400

# A killed member is replaced within this; the default of 45 s would hold its partitions up for that long.
_SESSION_TIMEOUT_MS = 8_000


def broker_settings(brokers: int) -> dict[str, str | int]:
    """What every broker of a cluster of `brokers` is told, wherever it runs, by Kafka's names."""
    in_sync = min(2, brokers)
    return {
        # Who may do what: nothing that no ACL allows.
        "authorizer.class.name": AUTHORIZER,
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{SUPER_USER}",
        "auto.create.topics.enable": "false",
        # What is kept, and how safely.
        "log.message.timestamp.type": "LogAppendTime",
        "default.replication.factor": brokers,
        "min.insync.replicas": in_sync,
        "unclean.leader.election.enable": "false",
        "offsets.topic.replication.factor": brokers,
        "offsets.retention.minutes": OFFSETS_RETENTION_DAYS * _DAY_MINUTES,
        "transaction.state.log.replication.factor": brokers,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": brokers,
        "share.coordinator.state.topic.min.isr": in_sync,
        # How long a client that died holds others up.
        "transaction.max.timeout.ms": 60_000,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
        "group.initial.rebalance.delay.ms": 0,
        "group.consumer.session.timeout.ms": _SESSION_TIMEOUT_MS,
        "group.consumer.min.session.timeout.ms": 6_000,
        "group.consumer.heartbeat.interval.ms": 1_000,
        "group.consumer.min.heartbeat.interval.ms": 500,
    }
