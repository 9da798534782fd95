"""Records that were polled and not yet decided. Whatever changes the assignment empties it."""

from __future__ import annotations

from tidings.kafka.settings import LoopSettings
from tidings.log import InboxRecord, Partition


class Held:
    """Polled records by partition, in offset order; partitions in the order of their first record."""

    def __init__(self) -> None:
        self._records: dict[Partition, list[InboxRecord]] = {}
        self.events = 0
        self.bytes = 0

    def add(self, record: InboxRecord) -> None:
        """Hold one more record, newer than all that are held of its partition."""
        self._records.setdefault(Partition(record.topic, record.partition), []).append(record)
        self.events += 1
        self.bytes += size_of(record)

    def clear(self) -> set[Partition]:
        """Drop everything. Returns the partitions of which something was held: the caller seeks them back."""
        partitions = set(self._records)
        self._records.clear()
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
            batch[partition] = self._cut(partition, max_events, left_bytes)
            events += len(batch[partition])
            left_bytes -= sum(map(size_of, batch[partition]))
        return batch

    def _cut(self, partition: Partition, max_events: int, max_bytes: int) -> list[InboxRecord]:
        records = self._records[partition]
        count = total = 0
        for record in records[:max_events]:
            total += size_of(record)
            if count and total > max_bytes:
                total -= size_of(record)
                break
            count += 1
        if count == len(records):
            del self._records[partition]
        else:
            self._records[partition] = records[count:]
        self.events -= count
        self.bytes -= total
        return records[:count]


def size_of(record: InboxRecord) -> int:
    """Bytes of a record's key and value."""
    return len(record.key or b"") + len(record.value or b"")
