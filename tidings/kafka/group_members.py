"""Whether any worker is in the exchange's group."""

from __future__ import annotations

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tidings.deployment import group_name
from tidings.kafka.clients import ClientSettings
from tidings.kafka.errors import error_of, translate

_CALL_S = 10.0


def has_members(cluster: ClientSettings, principal: str) -> bool:
    """Whether the deployment's group has a member now. Raises Retriable where no broker answers."""
    group = group_name(cluster.deployment)
    admin = AdminClient(cluster.client_config(principal) | {"log_level": 0})
    try:
        future = admin.describe_consumer_groups([group], request_timeout=_CALL_S)[group]
        return bool(future.result().members)
    except KafkaException as exception:
        error = error_of(exception)
        if error.name() == "GROUP_ID_NOT_FOUND":
            return False
        failure = translate(error, "asking for the exchange's workers")
    raise failure
