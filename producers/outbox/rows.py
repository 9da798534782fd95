"""Rows of the outbox as they wait, in PostgreSQL's binary form: an event comes as the bytes it was written with.

What a batch takes of memory is bounded by the server, whatever stands in the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from psycopg.types.string import ByteaBinaryLoader

from producers.outbox.database import Connection

# How long an event is stands beside its id, so a row that is too large costs neither side its bytes.
WAITING = """
SELECT w.row_id, o.event_type, CASE WHEN w.bytes <= %(event_max_bytes)s THEN o.event END
FROM (
  SELECT row_id, bytes, sum(bytes) OVER (ORDER BY row_id) - bytes AS bytes_before
  FROM (
    SELECT row_id, bytes FROM tidings.outbox_waiting WHERE slot = %(slot)s ORDER BY row_id LIMIT %(max_rows)s
  ) n
) w
LEFT JOIN tidings.outbox o ON o.row_id = w.row_id
WHERE w.bytes_before < %(max_bytes)s
ORDER BY w.row_id
"""
EVENT_MAX_BYTES = 8_000_000
"""Of an event as JSON: more than any has whose record an inbox takes, with every character escaped."""


class Rows(NamedTuple):
    """Rows that wait, oldest first, column by column: their ids, event types, and events as JSON, or None where one is
    too large to look at. Neither of the last two was looked at."""

    row_ids: Sequence[int] = ()
    event_types: Sequence[str] = ()
    events: Sequence[bytes | None] = ()

    def __repr__(self) -> str:
        return f"Rows({list(self.row_ids)})"


class Waiting(NamedTuple):
    """Rows that wait, and the ids of those that somebody took away while they did."""

    rows: Rows
    gone: list[int]


def read_waiting(connection: Connection, slot: int, max_rows: int, max_bytes: int) -> Waiting:
    """What waits in `slot`: at most `max_rows`, and no more once their events have `max_bytes`. Raises
    psycopg.Error."""
    bounds = {"slot": slot, "max_rows": max_rows, "max_bytes": max_bytes, "event_max_bytes": EVENT_MAX_BYTES}
    with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader("json", ByteaBinaryLoader)  # its binary form is its text
        cursor.execute(WAITING, bounds)
        found = cursor.fetchall()
    gone = [row_id for row_id, event_type, _ in found if event_type is None]
    if gone:
        found = [row for row in found if row[1] is not None]
    return Waiting(Rows(*zip(*found, strict=True)), gone)
