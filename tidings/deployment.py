"""What the parts of one deployment of the exchange are called on the broker: clients and access rules use the same."""

from __future__ import annotations


def group_name(deployment: str) -> str:
    """The consumer group that a deployment's workers share; their slots' names begin with it and a hyphen."""
    return f"exchange-{deployment}"


def slot_name(deployment: str, slot: int) -> str:
    """The stable id of one worker's place: its transactional id and its group instance id."""
    return f"{group_name(deployment)}-{slot}"
