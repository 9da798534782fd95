"""Writes down which events were rejected or set aside: by id, place and reason codes, never by value."""

from __future__ import annotations

import structlog

from stream_processors.counts import Counts
from tidings.decisions import Entry, Outcome
from tidings.log import Partition

_log = structlog.get_logger(__name__)


def tell(partition: Partition, counts: Counts) -> None:
    """Log what a committed transaction refused of one partition; of many rejections the first, and how many more."""
    for entry in counts.refused:
        if entry.outcome is Outcome.QUARANTINED:
            _log.error("event quarantined", **_named(partition, entry))
        else:
            _log.info("event rejected", **_named(partition, entry))
    more = counts.outcomes[Outcome.REJECTED] - sum(entry.outcome is Outcome.REJECTED for entry in counts.refused)
    if more > 0:
        _log.info("more events rejected", inbox=partition.topic, partition=partition.partition, count=more)


def _named(partition: Partition, entry: Entry) -> dict[str, object]:
    named = {
        "inbox": partition.topic,
        "partition": partition.partition,
        "offset": entry.offset,
        "event_id": entry.event_id,
        "reasons": [str(each) for each in entry.findings],
    }
    return named | ({"late": True} if entry.late else {})
