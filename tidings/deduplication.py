"""The deduplication window of one inbox partition.

An event at offset o is a repeat if, and only if, the same event id stands in that partition in [o-W, o), whatever
became of it: a `DUPLICATE` where the same record (key and value) stands there, else a `REUSED` id. All is a function of
the log: there is no other store, and a window is rebuilt by reading the last W offsets.

Memory is bounded by W events, about 400 bytes each.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from hashlib import blake2b

from tidings import wire
from tidings.log import InboxRecord

_ID_AT = wire.HEADER_BYTES + 1
_ID_END = _ID_AT + 36
_FRAME = bytes((wire.MAGIC,))
_UUID = re.compile(rb"H[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z").match
"""A uuid with the byte of its length before it: `zigzag(36)`."""


def event_id_of(value: bytes | None) -> str | None:
    """The event id of a record's value in lower case, from its bytes alone; None where there is none.

    After the frame stands a 36-byte string that is a uuid. Every event type's first field is `event_id`, so no schema
    is needed.
    """
    if value is None or value[:1] != _FRAME or not _UUID(value[wire.HEADER_BYTES : _ID_END]):
        return None
    return value[_ID_AT:_ID_END].decode("ascii").lower()


class Sighting(StrEnum):
    """What the window says of a record."""

    NEW = "new"
    DUPLICATE = "duplicate"
    REUSED = "reused"


_NEW = Sighting.NEW


_Mark = tuple[int, bytes, bytes]
"""An event's offset, its id, and the digest of the record."""
_DIGEST_BYTES = 16


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
        return self.see_all((record,))[0]

    def see_all(self, records: Iterable[InboxRecord]) -> list[Sighting]:
        """`see` of each record, in order."""
        size, ids, digests = self.size, self._ids, self._records
        staged_ids, staged_digests, stage = self._staged_ids, self._staged_records, self._staged.append
        said: list[Sighting] = []
        for record in records:
            mark = _mark(record)
            if mark is None:
                said.append(_NEW)
                continue
            offset, event_id, digest = mark
            if event_id not in staged_ids and event_id not in ids:
                said.append(_NEW)  # for the same record has the same id
            elif _last(staged_digests, digests, digest) >= offset - size:
                said.append(Sighting.DUPLICATE)
            else:
                said.append(Sighting.REUSED if _last(staged_ids, ids, event_id) >= offset - size else _NEW)
            stage(mark)
            staged_ids[event_id] = staged_digests[digest] = offset
        return said

    def commit(self) -> None:
        """What was seen since the last commit stands; what has left the window for good is forgotten."""
        self._marks.extend(self._staged)
        self._ids.update(self._staged_ids)
        self._records.update(self._staged_records)
        if self._staged:
            self._forget(self._staged[-1][0] + 1 - self.size)
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
            if mark is not None and end - self.size <= mark[0] < end:
                self._add(mark)

    def _add(self, mark: _Mark) -> None:
        offset, event_id, digest = mark
        self._marks.append(mark)
        self._ids[event_id] = self._records[digest] = offset

    def _forget(self, start: int) -> None:
        while self._marks and self._marks[0][0] < start:
            offset, event_id, digest = self._marks.popleft()
            if self._ids.get(event_id) == offset:
                del self._ids[event_id]
            if self._records.get(digest) == offset:
                del self._records[digest]


_NEVER = -(2**63)


def _last(staged: dict[bytes, int], standing: dict[bytes, int], key: bytes) -> int:
    offset = staged.get(key)
    return standing.get(key, _NEVER) if offset is None else offset


def _mark(record: InboxRecord) -> _Mark | None:
    _, _, offset, _, key, value = record
    if value is None or value[:1] != _FRAME or not _UUID(value[wire.HEADER_BYTES : _ID_END]):
        return None
    event_id = unhexlify(value[_ID_AT:_ID_END].replace(b"-", b""))
    whose = b"-" if key is None else b"+" + len(key).to_bytes(8, "big") + key
    return offset, event_id, blake2b(whose + value, digest_size=_DIGEST_BYTES).digest()
