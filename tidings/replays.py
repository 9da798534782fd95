"""Requests to decide a quarantined event again: the records of `exchange.replays`, which has one partition."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from tidings.log import Message, Partition
from tidings.topics import REPLAYS


class ReplayRequest(NamedTuple):
    """One request: `position` is its own offset in `exchange.replays`."""

    position: int
    partition: Partition
    offset: int


def request_message(partition: Partition, offset: int) -> Message:
    """The record that asks for a replay: `tidings quarantine replay` produces it."""
    value = orjson.dumps({"inbox": partition.topic, "offset": offset, "partition": partition.partition})
    return Message(REPLAYS, 0, f"{partition.topic}/{partition.partition}/{offset}".encode(), value)


def parse_request(position: int, value: bytes | None) -> ReplayRequest | None:
    """The request of a record of `exchange.replays`; None where it is not one, which asks for nothing."""
    try:
        read = orjson.loads(value or b"")
        request = ReplayRequest(position, Partition(read["inbox"], read["partition"]), read["offset"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    sound = isinstance(request.partition.topic, str) and type(request.partition.partition) is int
    return request if sound and type(request.offset) is int else None
