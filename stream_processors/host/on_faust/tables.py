"""Rows in Faust's tables: RocksDB at each place, every change in a changelog topic, and known when it is there.

Faust itself never looks whether the broker took a changelog record (`faust/topics.py`, `_on_published`, only logs):
here each one is handed to the host, which commits no offset before all have come.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from typing import Any

import faust

STORE = "rocksdb://?driver=rocksdict"
# A place has one database a table: the defaults (2 GB of cache each, 64 MB of buffers) are for one big one.
ROCKSDB_OPTIONS: dict[str, Any] = {
    "block_cache_size": 32 * 1024 * 1024,
    "write_buffer_size": 8 * 1024 * 1024,
    "target_file_size_base": 16 * 1024 * 1024,
    "max_open_files": 64,
}


class HostTable(faust.Table[bytes, bytes]):
    """A table of bytes by bytes; `take_pending` gives what was sent to its changelog since it was last asked."""

    def send_changelog(self, *args: Any, **more: Any) -> Any:
        """See Faust; what it gives is kept."""
        sent = super().send_changelog(*args, **more)
        self.__dict__.setdefault("_pending", []).append(sent)
        return sent

    def take_pending(self) -> list[Awaitable[Any]]:
        """Each is done when the broker has the record, and raises where it has not taken it."""
        return list(self.__dict__.pop("_pending", []))


def host_table(app: faust.App, name: str, topic: str, partitions: int) -> HostTable:
    """A table of `app` with `topic` as its changelog."""
    changelog = app.topic(
        topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", partitions=partitions,
        compacting=True, acks=False, internal=True, allow_empty=True, maxsize=131_072,
    )  # fmt: skip
    table = HostTable(
        app,
        name=name,
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
        changelog_topic=changelog,
        store=STORE,
        options=dict(ROCKSDB_OPTIONS),
    )
    app.tables.add(table)
    return table


class PlaceStore:
    """Implements `rows.Store` for the partition of the event that Faust gave last. From within its agent only."""

    def __init__(self, tables: Mapping[str, HostTable], partition: int) -> None:
        self._tables = tables
        self._partition = partition

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Store.get`."""
        found: bytes | None = self._tables[table].get(key)
        return found

    def put(self, table: str, key: bytes, row: bytes | None) -> None:
        """See `Store.put`."""
        if row is not None:
            self._tables[table][key] = row
        elif key in self._tables[table]:
            del self._tables[table][key]

    def items(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`."""
        store: Any = self._tables[table].data
        # Faust's own way to all items goes through every partition of the process.
        yield from store._visible_items(store._db_for_partition(self._partition))  # noqa: SLF001

    def pending(self) -> list[Awaitable[Any]]:
        """What is on its way to the changelogs."""
        return [each for table in self._tables.values() for each in table.take_pending()]
