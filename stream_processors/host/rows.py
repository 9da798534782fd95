"""The rows of one part's key: changed once by each part, whatever comes twice, and gone when their time is over.

A row is stored with the place of the last part of each partition that changed it. A part at or before that place has
changed it already, and changes it no more; but the row is written again as it stands, for what came to the store may
not have come to its changelog before a crash. So state is that of an exactly-once run, though the log is read at least
once. That holds row by row: a change may depend on its own row and its part, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from stream_processors.host.declaration import Json, Part, Table
from tidings.errors import Fatal
from tidings.policy.model import Policy

_SEPARATOR = "\x1f"


class Store(Protocol):
    """The tables at one place (one partition of the work topic)."""

    def get(self, table: str, key: bytes) -> bytes | None:
        """A stored row, or None."""
        ...

    def put(self, table: str, key: bytes, row: bytes | None) -> None:
        """Store a row, or take it away."""
        ...

    def items(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """Every row of this place."""
        ...


class Draft:
    """What one part does to a store, kept when it went well: a part that fails has changed nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed: dict[tuple[str, bytes], bytes | None] = {}

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return self._changed[table, key] if (table, key) in self._changed else self._store.get(table, key)

    def put(self, table: str, key: bytes, row: bytes | None) -> None:
        """See `Store.put`."""
        self._changed[table, key] = row

    def items(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`; what this draft changed is not in it."""
        return self._store.items(table)

    def keep(self) -> None:
        """Do it."""
        for (table, key), row in self._changed.items():
            self._store.put(table, key, row)


@dataclass(frozen=True, slots=True)
class Emission:
    """One record to send on, not encoded yet."""

    topic: str
    key: str = field(repr=False)
    value: dict[str, Any] = field(repr=False)


@dataclass(slots=True)
class Row:
    """A stored row: its value, who changed it last, and when it is over (milliseconds; None: never)."""

    value: Json = field(repr=False)
    at: dict[str, list[int]]
    until_ms: int | None

    def encode(self) -> bytes:
        """As it is stored."""
        return orjson.dumps({"v": self.value, "a": self.at, "u": self.until_ms}, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decode(cls, stored: bytes) -> Row:
        """A row of its stored form."""
        read = orjson.loads(stored)
        return cls(read["v"], read["a"], read["u"])


class KeyState:
    """Implements `State` for one key and, unless it sweeps, one part."""

    def __init__(
        self, store: Store, tables: Mapping[str, Table], topics: frozenset[str], key: str, part: Part | None,
        now_ms: int, clock_ms: int, policy: Policy,
    ) -> None:  # fmt: skip
        self._store = store
        self._tables = tables
        self._topics = topics
        self._key = key
        self._part = part
        self._now_ms = now_ms
        self._clock_ms = clock_ms
        self._policy = policy
        self._fresh: dict[tuple[str, str], bool] = {}
        self.emissions: list[Emission] = []
        self.late = 0

    @property
    def now_ms(self) -> int:
        """See `State.now_ms`."""
        return self._now_ms

    @property
    def policy(self) -> Policy:
        """See `State.policy`."""
        return self._policy

    def get(self, table: str, row: str = "") -> Json | None:
        """See `State.get`."""
        found = self._load(table, row)
        return None if found is None else found.value

    def update(
        self, table: str, change: Callable[[Json | None], Json | None], row: str = "", window_ms: int | None = None
    ) -> Json | None:
        """See `State.update`."""
        declared = self._declared(table)
        begins = window_ms if window_ms is not None else self._at_ms()
        until = None if declared.keep_ms is None else begins + declared.keep_ms
        if window_ms is not None and until is not None and until <= self._now_ms:
            self.late += 1
            return None
        stored = self._store.get(table, row_key(self._key, row))
        standing = Row.decode(stored) if stored is not None else Row(None, {}, None)
        if self._is_over(standing):
            # What was is forgotten, but not who changed it: a part that comes again must not begin it anew.
            standing = Row(None, standing.at, None)
        if self._is_new(table, row, standing):
            standing.value = change(standing.value)
            if self._part is not None:
                standing.at[f"{self._part.topic}/{self._part.partition}"] = [self._part.offset, self._part.number]
                if until is not None:
                    standing.until_ms = max(until, standing.until_ms or 0)
        # A row that was taken away stays as an empty one: it says who took it away.
        self._store.put(table, row_key(self._key, row), standing.encode())
        return standing.value

    def keeps(self, table: str, window_ms: int) -> bool:
        """See `State.keeps`."""
        keep_ms = self._declared(table).keep_ms
        return keep_ms is None or window_ms + keep_ms > self._clock_ms

    def emit(self, topic: str, key: str, value: dict[str, Any]) -> None:
        """See `State.emit`."""
        if topic not in self._topics:
            raise Fatal(f"{topic} is not declared as written")
        self.emissions.append(Emission(topic, key, value))

    def _at_ms(self) -> int:
        return self._now_ms if self._part is None else self._part.at_ms

    def _declared(self, table: str) -> Table:
        if table not in self._tables:
            raise Fatal(f"table {table} is not declared")
        return self._tables[table]

    def _load(self, table: str, row: str) -> Row | None:
        self._declared(table)
        stored = self._store.get(table, row_key(self._key, row))
        found = None if stored is None else Row.decode(stored)
        return None if found is None or self._is_over(found) else found

    def _is_over(self, row: Row) -> bool:
        return row.until_ms is not None and row.until_ms <= self._now_ms

    def _is_new(self, table: str, row: str, standing: Row) -> bool:
        """Whether the part has not changed the row yet; settled at its first change, for it may make several."""
        if self._part is None:
            return True
        if (table, row) not in self._fresh:
            last = standing.at.get(f"{self._part.topic}/{self._part.partition}", [-1, -1])
            self._fresh[table, row] = [self._part.offset, self._part.number] > last
        return self._fresh[table, row]


def row_key(key: str, row: str) -> bytes:
    """The stored key of a row. Raises ValueError where the row's name holds the separator."""
    if _SEPARATOR in row:
        raise ValueError("a row's name holds the separator: two names would be one")
    return f"{key}{_SEPARATOR}{row}".encode()


def names_of(stored: bytes) -> tuple[str, str]:
    """The key and the row's name of a stored key."""
    key, _, row = stored.decode().rpartition(_SEPARATOR)
    return key, row
