"""Whether any worker is in the exchange's group."""

from __future__ import annotations

from tidings.deployment import group_name
from tidings.kafka.clients import ClientSettings
from tidings.kafka.groups import Groups


def has_members(cluster: ClientSettings, principal: str) -> bool:
    """Whether the deployment's group has a member now. Raises Retriable where no broker answers."""
    group = group_name(cluster.deployment)
    return bool(Groups(cluster, principal).members([group])[group])
