"""What the parts of one deployment of the exchange are called on the broker: clients and access rules use the same."""

from __future__ import annotations

from tidings.topics import is_id

EXCHANGE = "exchange"
CORRECTION_WINDOW = "correction-window"
"""The parts that run on the exactly-once loop; each is the principal of its workers, too."""


def group_name(deployment: str, part: str = EXCHANGE) -> str:
    """The consumer group that a part's workers share; their slots' names begin with it and a hyphen."""
    return f"{part}-{deployment}"


def slot_name(deployment: str, slot: int, part: str = EXCHANGE) -> str:
    """The stable id of one worker's place: its transactional id and its group instance id."""
    return f"{group_name(deployment, part)}-{slot}"


_ONCE = ".once."


def once_name(agency: str, name: str) -> str:
    """The transactional id and the group of one of an agency's once-writers (`tidings.kafka.write_once`): they begin
    with the agency's id and a dot, as its access rules do."""
    return f"{agency}{_ONCE}{name}"


def is_once_group(group: str) -> bool:
    """Whether a group only keeps a once-writer's position: it has no members and reads nothing."""
    return _ONCE in group and is_id(group.partition(_ONCE)[0])
