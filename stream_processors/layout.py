"""Where a system topic's records go: the partition of their key, as every Kafka client has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tidings.errors import Fatal
from tidings.log import Message, Partition
from tidings.partitions import partition_of
from tidings.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Layout:
    """`partitions` has the count of every system topic that the exchange writes."""

    partitions: Mapping[str, int]

    def message(self, topic: str, key: bytes, value: bytes) -> Message:
        """A record in the partition of its key. Raises as `place`."""
        return Message(*self.place(topic, key), key, value)

    def place(self, topic: str, key: bytes) -> Partition:
        """The partition of a key. Raises Fatal where the topic's partition count is not known."""
        count = self.partitions.get(topic)
        if count is None:
            raise Fatal(f"{topic}: a topic of the exchange that was not there when the policy was taken up")
        return Partition(topic, partition_of(key, count))


def system_schema_id(policy: Policy, topic: str) -> int:
    """The schema id in the values of a system topic, 0 where the policy names none; all `notices.*` may share one."""
    ids = policy.system_schema_ids
    return ids.get(topic, ids.get(topic.split(".", maxsplit=1)[0], 0))
