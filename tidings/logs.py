"""What processes write down while they run: one JSON object a line, with the keys of a closed list and never a value.

An event is named by its id and its place in its inbox. What a library or a stranger said is not in a log: an error of
ours is, whose text holds coordinates only. Source of the form: structlog, "Standard processors".
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger


class Key(StrEnum):
    """The keys that a line may have, beside `event` (what happened), `level` and `at`."""

    SERVICE = "service"
    """Which process: a worker's slot, `policy`, `monitor`."""
    SLOT = "slot"
    HEALTH_PORT = "health_port"
    EXIT_CODE = "exit_code"
    RUNNING = "running"
    ERROR = "error"
    """The class of one of our errors."""
    WHY = "why"
    """The text of one of our errors."""
    POLICY_VERSION = "policy_version"
    REMOVED = "removed"
    ADDED = "added"
    INBOX = "inbox"
    PARTITION = "partition"
    OFFSET = "offset"
    EVENT_ID = "event_id"
    REASONS = "reasons"
    """Reason codes, each with the path of a field."""
    LATE = "late"
    COUNT = "count"
    CLIENT = "client"
    """Which Kafka client, by a name of ours and a number."""
    KIND = "kind"
    """Which kind of event of the Kafka client, one word in capitals."""


_KEYS = frozenset(Key) | {"event", "level", "at"}


def configure(service: str, stream: TextIO | None = None) -> None:
    """Write this process's log to `stream` (standard error unless given), each line with `service`."""
    out = stream or sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _with_service(service),
            only_known,
            _line,
        ],
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def only_known(_logger: WrappedLogger, _name: str, line: EventDict) -> EventDict:
    """Leave out what is not in the list, and say so: a key that nobody has judged could hold anything."""
    known = {key: value for key, value in line.items() if key in _KEYS}
    return known if len(known) == len(line) else {**known, "left_out": len(line) - len(known)}


def _with_service(service: str) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    def add(_logger: WrappedLogger, _name: str, line: EventDict) -> EventDict:
        line[Key.SERVICE.value] = service
        return line

    return add


def _line(_logger: WrappedLogger, _name: str, line: EventDict) -> str:
    first: dict[str, Any] = {key: line.pop(key) for key in ("at", "level", "event") if key in line}
    return orjson.dumps({**first, **line}).decode()
