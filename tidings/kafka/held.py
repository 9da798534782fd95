"""Records that were polled and not yet decided. Whatever changes the assignment empties it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, islice

from tidings.kafka.settings import LoopSettings
from tidings.log import InboxRecord, Partition


class Held:
    """Polled records by partition, in offset order; partitions in the order of their first record."""

    def __init__(self) -> None:
        self._records: dict[Partition, list[InboxRecord]] = {}
        self._sizes: dict[Partition, list[int]] = {}
        self.events = 0
        self.bytes = 0

    def add(self, partition: Partition, records: Sequence[InboxRecord]) -> None:
        """Hold more records of `partition`, newer than all that are held of it."""
        sizes = [len(record.key or b"") + len(record.value or b"") for record in records]
        self._records.setdefault(partition, []).extend(records)
        self._sizes.setdefault(partition, []).extend(sizes)
        self.events += len(records)
        self.bytes += sum(sizes)

    def clear(self) -> set[Partition]:
        """Drop everything. Returns the partitions of which something was held: the caller seeks them back."""
        partitions = set(self._records)
        self._records.clear()
        self._sizes.clear()
        self.events = self.bytes = 0
        return partitions

    def next_batch(self, settings: LoopSettings, max_events: int) -> dict[Partition, list[InboxRecord]]:
        """Take the next transaction's records out: a busy partition alone, or several quiet ones together.

        The partition whose record has waited longest is always in it. Args: `max_events` is at least 1. Returns an
        empty dictionary where nothing is held.
        """
        batch: dict[Partition, list[InboxRecord]] = {}
        events = 0
        left_bytes = settings.batch_max_bytes
        shared = min(settings.shared_max_events, max_events)
        for partition in list(self._records):
            waiting = len(self._records[partition])
            if not batch and waiting >= shared:
                return {partition: self._cut(partition, max_events, left_bytes)}
            if batch and (events + waiting > shared or left_bytes <= 0):
                continue
            held_bytes = self.bytes
            batch[partition] = self._cut(partition, max_events, left_bytes)
            events += len(batch[partition])
            left_bytes -= held_bytes - self.bytes
        return batch

    def _cut(self, partition: Partition, max_events: int, max_bytes: int) -> list[InboxRecord]:
        """The first records of a partition: one at least, then as many as are within both bounds."""
        records, sizes = self._records[partition], self._sizes[partition]
        totals = list(accumulate(islice(sizes, max_events)))
        count = max(1, bisect_right(totals, max_bytes))
        if count < len(records):
            # In its place: what is left has waited longest.
            self._records[partition] = records[count:]
            self._sizes[partition] = sizes[count:]
        else:
            del self._records[partition], self._sizes[partition]
        self.events -= count
        self.bytes -= totals[count - 1]
        return records[:count]
