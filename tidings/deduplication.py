"""The deduplication window of one inbox partition.

An event at offset o is a repeat if, and only if, the same event id stands in that partition in [o-W, o), whatever
became of it: a `DUPLICATE` where the same record (key and value) stands there, else a `REUSED` id. All is a function of
the log: there is no other store, and a window is rebuilt by reading the last W offsets.

Memory is bounded by W events, about 400 bytes each.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from tidings import wire
from tidings.log import InboxRecord

_ID_AT = wire.HEADER_BYTES + 1
_ID_END = _ID_AT + 36
_LENGTH = wire.zigzag(36)[0]
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def event_id_of(value: bytes | None) -> str | None:
    """The event id of a record's value in lower case, from its bytes alone; None where there is none.

    After the frame stands a 36-byte string that is a uuid. Every event type's first field is `event_id`, so no schema
    is needed.
    """
    if value is None or len(value) < _ID_END or value[0] != wire.MAGIC or value[wire.HEADER_BYTES] != _LENGTH:
        return None
    text = value[_ID_AT:_ID_END]
    return text.decode("ascii").lower() if _UUID.match(text) else None


class Sighting(StrEnum):
    """What the window says of a record."""

    NEW = "new"
    DUPLICATE = "duplicate"
    REUSED = "reused"


class _Mark(NamedTuple):
    offset: int
    event_id: bytes
    record: bytes


class Window:
    """The window of one partition. `see` stages; what was seen counts for the next batch only after `commit`.

    `size` is W in offsets. Offsets are seen in rising order; gaps (control records, aborted records) take room as the
    definition says.
    """

    def __init__(self, size: int) -> None:
        if size < 0:
            raise ValueError("a window's size is not negative")
        self.size = size
        self._marks: deque[_Mark] = deque()
        self._ids: dict[bytes, int] = {}
        self._records: dict[bytes, int] = {}
        self._staged: list[_Mark] = []
        self._staged_ids: dict[bytes, int] = {}
        self._staged_records: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._marks)

    def see(self, record: InboxRecord) -> Sighting:
        """Say whether `record` is new, and stage it. A record without an event id is always new and leaves no mark."""
        mark = _mark(record)
        if mark is None:
            return Sighting.NEW
        start = mark.offset - self.size
        if _last(self._staged_records, self._records, mark.record) >= start:
            sighting = Sighting.DUPLICATE
        elif _last(self._staged_ids, self._ids, mark.event_id) >= start:
            sighting = Sighting.REUSED
        else:
            sighting = Sighting.NEW
        self._staged.append(mark)
        self._staged_ids[mark.event_id] = mark.offset
        self._staged_records[mark.record] = mark.offset
        return sighting

    def commit(self) -> None:
        """What was seen since the last commit stands; what has left the window for good is forgotten."""
        for mark in self._staged:
            self._add(mark)
        if self._staged:
            self._forget(self._staged[-1].offset + 1 - self.size)
        self.abort()

    def abort(self) -> None:
        """What was seen since the last commit was never seen."""
        self._staged = []
        self._staged_ids = {}
        self._staged_records = {}

    def load(self, records: Iterable[InboxRecord], end: int) -> None:
        """Rebuild from the log: `records` are those of [end-W, end) in offset order; all else is forgotten."""
        self.abort()
        self._marks.clear()
        self._ids.clear()
        self._records.clear()
        for record in records:
            mark = _mark(record)
            if mark is not None and end - self.size <= mark.offset < end:
                self._add(mark)

    def _add(self, mark: _Mark) -> None:
        self._marks.append(mark)
        self._ids[mark.event_id] = mark.offset
        self._records[mark.record] = mark.offset

    def _forget(self, start: int) -> None:
        while self._marks and self._marks[0].offset < start:
            mark = self._marks.popleft()
            if self._ids.get(mark.event_id) == mark.offset:
                del self._ids[mark.event_id]
            if self._records.get(mark.record) == mark.offset:
                del self._records[mark.record]


_NEVER = -(2**63)


def _last(staged: dict[bytes, int], standing: dict[bytes, int], key: bytes) -> int:
    offset = staged.get(key)
    return standing.get(key, _NEVER) if offset is None else offset


def _mark(record: InboxRecord) -> _Mark | None:
    event_id = event_id_of(record.value)
    if event_id is None or record.value is None:
        return None
    key = b"-" if record.key is None else b"+" + len(record.key).to_bytes(8, "big") + record.key
    digest = hashlib.blake2b(key + record.value, digest_size=16).digest()
    return _Mark(record.offset, bytes.fromhex(event_id.replace("-", "")), digest)
