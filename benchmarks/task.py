"""What a contender's process is told: where to read, what to make, where to write. A JSON file of mode 0600.

Only the standard library: contenders that live in an environment of their own read it, too, and so does Java.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ViewTask:
    """One of the views: where it goes, its schema, the keys of its derived ids by purpose (hexadecimal), and for the
    floor, which computes nothing, a constant key and value of the mean size."""

    agreement: str
    feed: str
    schema_id: int
    schema: dict[str, Any]
    keys: dict[str, str] = field(repr=False)
    key_size: int
    value_size: int


@dataclass(frozen=True, slots=True)
class Task:
    """One run. `clients` are the settings of any Kafka client (librdkafka's names); `latency` asks for a contender's
    best settings for latency rather than for throughput. `state` is a folder of its own. `shared_max_events` is the
    exchange's setting of that name, its default where 0."""

    contender: str
    group: str
    deployment: str
    transport: str
    cluster_file: str
    clients: dict[str, str] = field(repr=False)
    inbox: str
    event_schema: dict[str, Any]
    views: tuple[ViewTask, ...]
    key_version: int
    policy_version: int
    state: str
    latency: bool = False
    slot: int = 0
    shared_max_events: int = 0

    def write(self, path: Path) -> Path:
        """Put it at `path`, which nobody else may read."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
        return path


def read_task(path: str | Path) -> Task:
    """The task at `path`."""
    found = json.loads(Path(path).read_text("utf-8"))
    views = tuple(ViewTask(**each) for each in found.pop("views"))
    return Task(views=views, **found)
