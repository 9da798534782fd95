"""The tables of a processor in dictionaries: to measure what is its own work."""

from __future__ import annotations

from collections.abc import Iterator


class MemoryPlace:
    """Implements `stream_processors.host.rows.Store`."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[bytes, bytes]] = {}

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return self.tables.get(table, {}).get(key)

    def put(self, table: str, key: bytes, row: bytes | None) -> None:
        """See `Store.put`."""
        if row is None:
            self.tables.get(table, {}).pop(key, None)
        else:
            self.tables.setdefault(table, {})[key] = row

    def items(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`."""
        yield from self.tables.get(table, {}).items()


class MemoryStore:
    """All places of one processor."""

    def __init__(self, places: int) -> None:
        self._places = [MemoryPlace() for _ in range(places)]

    def place(self, number: int) -> MemoryPlace:
        """One of them."""
        return self._places[number]

    def rows(self) -> list[int]:
        """The bytes of each row, its key's included."""
        return [
            len(key) + len(row)
            for place in self._places
            for rows in place.tables.values()
            for key, row in rows.items()
        ]  # fmt: skip
