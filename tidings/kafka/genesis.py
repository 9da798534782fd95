"""Gives new inbox partitions their start: offset 0, committed for the exchange's group with the anchor `genesis`.

It goes through a transaction, since the broker refuses to alter the offsets of a group that has members, but takes
those of a transaction whose group metadata names no member.

Source: Kafka 4.3.1, `ClassicGroup.validateOffsetCommit` and `ConsumerGroup.validateOffsetCommit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from confluent_kafka import Consumer, Producer, TopicPartition

from tidings.clock import Clock, Deadline
from tidings.decisions import GENESIS
from tidings.deployment import EXCHANGE, group_name
from tidings.kafka.clients import ClientSettings, transactional_config
from tidings.kafka.retry import attempt, retry
from tidings.kafka.settings import LoopSettings
from tidings.log import Partition

_CALL_S = 10.0


def start_partitions(
    cluster: ClientSettings,
    principal: str,
    partitions: Iterable[Partition],
    clock: Clock,
    deadline: Deadline,
    part: str = EXCHANGE,
) -> None:
    """Commit offset 0 for `partitions`, all or none, for the group of the `part` that reads them. Only for partitions
    without any offset: it would rewind.

    Raises: Retriable where the broker does not answer within `deadline`; Fatal where it refuses.
    """
    offsets: Sequence[TopicPartition] = [
        TopicPartition(each.topic, each.partition, 0, metadata=GENESIS) for each in partitions
    ]
    if not offsets:
        return
    group = group_name(cluster.deployment, part)
    consumer = Consumer(cluster.consumer_config(principal, group))
    try:
        metadata = consumer.consumer_group_metadata()
        producer = Producer(
            {**cluster.producer_config(principal), **transactional_config(f"{group}-apply", LoopSettings())}
        )
        retry(lambda: producer.init_transactions(_CALL_S), "opening a transaction", deadline, clock)
        attempt(producer.begin_transaction, "opening a transaction")
        retry(
            lambda: producer.send_offsets_to_transaction(list(offsets), metadata, _CALL_S),
            "starting inboxes",
            deadline,
            clock,
        )
        retry(lambda: producer.commit_transaction(_CALL_S), "starting inboxes", deadline, clock)
    finally:
        consumer.close()
