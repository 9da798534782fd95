"""Requests to decide a quarantined event again: the records of `exchange.replays`, which has one partition."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from tidings.log import Message, Partition
from tidings.topics import REPLAYS


class ReplayRequest(NamedTuple):
    """One request: `position` is its own offset in `exchange.replays`.

    `block` is where in `exchange.decisions` the block stands that put the event into quarantine (its offset there; the
    partition is that of the inbox partition's chain). It says which failure is to be tried again: each is, once.
    """

    position: int
    partition: Partition
    offset: int
    block: int = -1


def request_message(partition: Partition, offset: int, block: int) -> Message:
    """The record that asks for a replay: `tidings quarantine replay` produces it."""
    value = orjson.dumps({"block": block, "inbox": partition.topic, "offset": offset, "partition": partition.partition})
    return Message(REPLAYS, 0, f"{partition.topic}/{partition.partition}/{offset}".encode(), value)


def parse_request(position: int, value: bytes | None) -> ReplayRequest | None:
    """The request of a record of `exchange.replays`; None where it is not one, which asks for nothing."""
    try:
        read = orjson.loads(value or b"")
        request = ReplayRequest(position, Partition(read["inbox"], read["partition"]), read["offset"], read["block"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    numbers = (request.partition.partition, request.offset, request.block)
    sound = isinstance(request.partition.topic, str) and all(type(number) is int for number in numbers)
    return request if sound else None
