"""What is in quarantine now: decided QUARANTINED in the decision blocks, and not decided again since."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tidings import topics
from tidings.decisions import Block, Entry, Outcome
from tidings.kafka.read import LogReader
from tidings.kafka.tally import blocks_at
from tidings.log import Partition
from tidings.quarantine import QuarantineRecord, decode_quarantine
from tidings.replays import parse_request


class Held(NamedTuple):
    """One event in quarantine: where it stands in its inbox, its last entry in the decision blocks, and where the block
    of that entry stands in its partition of `exchange.decisions`."""

    partition: Partition
    offset: int
    decided_at_ms: int
    policy_version: int
    entry: Entry
    block: int


def held_events(reader: LogReader) -> tuple[Held, ...]:
    """Every event in quarantine, by inbox, partition and offset. Raises Retriable where the broker stays silent."""
    return held_in(blocks_at(reader))


def held_in(decided: Iterable[tuple[int, Block]]) -> tuple[Held, ...]:
    """The same, out of decision blocks, each with its offset, in the order of their chains."""
    held: dict[tuple[Partition, int], Held] = {}
    for at, block in decided:
        for entry in block.entries:
            place = (Partition(block.inbox, block.partition), entry.offset)
            if entry.outcome is Outcome.QUARANTINED:
                held[place] = Held(*place, block.decided_at_ms, block.policy_version, entry, at)
            elif entry.late:
                held.pop(place, None)
    return tuple(held[place] for place in sorted(held))


def causes(reader: LogReader) -> dict[tuple[Partition, int], QuarantineRecord]:
    """The last quarantine record of each event: the code and where in our code it failed."""
    found: dict[tuple[Partition, int], QuarantineRecord] = {}
    for record in reader.read_to_end(topics.QUARANTINE):
        if record.value is not None:
            read = decode_quarantine(record.value)
            found[Partition(read.inbox, read.partition), read.offset] = read
    return found


def asked_for(reader: LogReader) -> frozenset[tuple[Partition, int, int]]:
    """Every failure whose replay was asked for: partition, offset, block. To ask again would change nothing."""
    requests = (parse_request(record.offset, record.value) for record in reader.read_to_end(topics.REPLAYS))
    return frozenset(request[1:] for request in requests if request is not None)
