"""Following `exchange.replays`: read again every few seconds, since `idle` runs before every batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from tidings.log import InboxRecord, Partition
from tidings.replays import ReplayRequest, parse_request
from tidings.topics import REPLAYS

REFRESH_MS = 2_000
_WHERE = Partition(REPLAYS, 0)


class Reader(Protocol):
    """What `tidings.kafka.read.LogReader` offers."""

    def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """The offset after each partition's last record."""
        ...

    def read_range(self, partition: Partition, first: int, end: int) -> Iterable[InboxRecord]:
        """Committed records in [`first`, `end`)."""
        ...


class ReplayLog:
    """The requests so far, by partition: a few bytes each, and there are as many as operators made.

    Whoever asks again for what was asked for, even in the same moment, asks for nothing: the first counts. The topic
    keeps all requests, so that whoever takes a partition over knows the first, too.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._next = 0
        self._read_at_ms: int | None = None
        self._requests: dict[Partition, list[ReplayRequest]] = {}
        self._asked: set[tuple[Partition, int, int]] = set()

    def requests(self, partition: Partition, after: int, now_ms: int) -> Sequence[ReplayRequest]:
        """See `ReplaySource.requests`."""
        if self._read_at_ms is None or now_ms - self._read_at_ms >= REFRESH_MS:
            self._refresh()
            self._read_at_ms = now_ms
        known = self._requests.get(partition)
        return [request for request in known if request.position > after] if known else ()

    def _refresh(self) -> None:
        end = self._reader.ends([_WHERE])[_WHERE]
        if end <= self._next:
            return
        for record in self._reader.read_range(_WHERE, self._next, end):
            request = parse_request(record.offset, record.value)
            if request is not None and request[1:] not in self._asked:
                self._asked.add(request[1:])
                self._requests.setdefault(request.partition, []).append(request)
            self._next = record.offset + 1
        self._next = max(self._next, end)
