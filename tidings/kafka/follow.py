"""Reads topics as an agency would: what is there up to the end, then, if asked, what comes, read_committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tidings.clock import Clock, SystemClock
from tidings.kafka.cluster import Cluster
from tidings.kafka.read import LogReader
from tidings.log import InboxRecord

_POLL_SECONDS = 0.2


def follow(
    cluster: Cluster,
    principal: str,
    topics: list[str],
    *,
    going_on: Callable[[], bool] = lambda: False,
    clock: Clock | None = None,
) -> Iterator[InboxRecord]:
    """The committed records of `topics` from where the log still has them, as `principal`, outside any group.

    Ends at the topics' end as of the first look; while `going_on()` it looks again, five times a second. Raises Fatal
    where the principal may not read a topic, Retriable where the broker stays silent.
    """
    clock = clock or SystemClock()
    with LogReader(cluster, principal) as reader:
        partitions = [partition for topic in topics for partition in reader.partitions(topic)]
        at = reader.starts(partitions)
        while True:
            for partition, end in reader.ends(partitions).items():
                if end > at[partition]:
                    yield from reader.read_range(partition, at[partition], end)
                    at[partition] = end
            if not going_on():
                return
            clock.sleep(_POLL_SECONDS)
