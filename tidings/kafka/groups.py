"""The consumer groups of a cluster, and who is in them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tidings.kafka.clients import ClientSettings
from tidings.kafka.errors import error_of, translate
from tidings.kafka.retry import answer, attempt
from tidings.log import Partition

CALL_S = 10.0


class Member(NamedTuple):
    """A group's member: its instance id where it has one, else its client's id, and the partitions it has."""

    name: str
    partitions: tuple[Partition, ...]


class Groups:
    """Asks as `principal`, who must be allowed to describe groups. Nothing to close."""

    def __init__(self, cluster: ClientSettings, principal: str) -> None:
        self._admin = AdminClient({**cluster.client_config(principal), "log_level": 0})

    def names(self) -> tuple[str, ...]:
        """Every group that the principal may see, in order. Raises Retriable where no broker answers."""
        future = self._admin.list_consumer_groups(request_timeout=CALL_S)
        result = attempt(lambda: answer(future, CALL_S, "listing groups"), "listing groups")
        return tuple(sorted(each.group_id for each in result.valid))

    def members(self, groups: Sequence[str]) -> dict[str, tuple[Member, ...]]:
        """The members of each group; none for a group that is not there. Raises Retriable where no broker answers."""
        if not groups:
            return {}
        found: dict[str, tuple[Member, ...]] = {}
        for name, future in self._admin.describe_consumer_groups(list(groups), request_timeout=CALL_S).items():
            found[name] = self._members(future)
        return found

    def _members(self, future: Future[Any]) -> tuple[Member, ...]:
        try:
            described = answer(future, CALL_S, "describing groups")
        except KafkaException as exception:
            error = error_of(exception)
            if error.name() == "GROUP_ID_NOT_FOUND":
                return ()
            failure = translate(error, "describing groups")
        else:
            return tuple(
                Member(
                    each.group_instance_id or each.client_id,
                    tuple(sorted(Partition(at.topic, at.partition) for at in each.assignment.topic_partitions)),
                )
                for each in described.members
            )
        raise failure
