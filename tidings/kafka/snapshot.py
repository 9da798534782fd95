"""What the loop says about itself once a batch. Health and metrics read this and never the client."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tidings.log import Partition


class State(StrEnum):
    """Where a worker is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The loop after its last step. Counts are since the worker's start; times are its clock's.

    `assigned` is True once the group has given this worker its share, even an empty one. `batch_*` are of the last
    committed batch; `lag_seconds` is the age of the oldest record of it when it was committed, or 0.0 when the worker
    has caught up with its inboxes.
    """

    state: State = State.STARTING
    at_monotonic: float = 0.0
    assigned: bool = False
    partitions: tuple[Partition, ...] = ()
    transactions: int = 0
    aborts: int = 0
    events: int = 0
    messages: int = 0
    batch_events: int = 0
    batch_messages: int = 0
    batch_seconds: float = 0.0
    lag_seconds: float = 0.0
