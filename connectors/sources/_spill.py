"""Keeps a register's items and the last state of each key on disk while its file is read, so that memory stays
small."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import orjson


class Spill:
    """A temporary database that disappears when it is closed. Used by one reading, in one thread."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # an empty name: private, on disk, deleted at close
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute(
            "CREATE TABLE item (hash TEXT PRIMARY KEY, line INT, content BLOB, used INT) WITHOUT ROWID"
        )
        self._database.execute("CREATE TABLE state (key TEXT PRIMARY KEY, version INT, body BLOB) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add_item(self, digest: str, line: int, content: bytes) -> None:
        """Keep an item under its SHA-256; the same content twice is one item."""
        self._database.execute("INSERT OR IGNORE INTO item VALUES (?, ?, ?, 0)", (digest, line, content))

    def item(self, digest: str) -> bytes | None:
        """The item of a SHA-256, which then counts as used; None where there is none."""
        row = self._database.execute("SELECT content FROM item WHERE hash = ?", (digest,)).fetchone()
        if row is None:
            return None
        self._database.execute("UPDATE item SET used = 1 WHERE hash = ?", (digest,))
        return bytes(row[0])

    def unused(self) -> Iterator[int]:
        """The lines of the items that no entry named, in order."""
        for row in self._database.execute("SELECT line FROM item WHERE used = 0 ORDER BY line"):
            yield int(row[0])

    def state(self, key: str) -> tuple[int, dict[str, Any] | None]:
        """How many entries a key has had, and the body of the last."""
        row = self._database.execute("SELECT version, body FROM state WHERE key = ?", (key,)).fetchone()
        return (0, None) if row is None else (int(row[0]), orjson.loads(row[1]))

    def set_state(self, key: str, version: int, body: dict[str, Any]) -> None:
        """Remember the last entry of a key."""
        self._database.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (key, version, orjson.dumps(body)))
