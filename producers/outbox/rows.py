"""Rows of the outbox as they wait, in PostgreSQL's binary form: an event comes as the bytes it was written with.

What a batch takes of memory is bounded by the server, whatever stands in the rows.
"""

from __future__ import annotations

from typing import NamedTuple

from psycopg.types.string import ByteaBinaryLoader

from producers.outbox.database import Connection

# The length of a text is known without reading it, so a row that is too large costs neither side its bytes.
_WAITING = """
SELECT row_id, event_type, CASE WHEN bytes <= %(event_max_bytes)s THEN event END
FROM (
  SELECT row_id, event_type, event, bytes, sum(bytes) OVER (ORDER BY row_id) - bytes AS before
  FROM (
    SELECT row_id, event_type, event, octet_length(event::text) AS bytes FROM tidings.outbox
    WHERE slot = %(slot)s AND state = 'waiting' ORDER BY row_id LIMIT %(max_rows)s
  ) w
) t
WHERE before < %(max_bytes)s
ORDER BY row_id
"""
EVENT_MAX_BYTES = 8_000_000
"""Of an event as JSON: more than any has whose record an inbox takes, with every character escaped."""


class Row(NamedTuple):
    """One row that waits: its id, an event type, an event as JSON, or None where it is too large to look at. Neither of
    the last two was looked at."""

    row_id: int
    event_type: str
    event: bytes | None

    def __repr__(self) -> str:
        return f"Row({self.row_id})"


def read_waiting(connection: Connection, slot: int, max_rows: int, max_bytes: int) -> list[Row]:
    """The rows of `slot` that wait, oldest first: at most `max_rows`, and no more once their events have `max_bytes`.
    Raises psycopg.Error."""
    bounds = {"slot": slot, "max_rows": max_rows, "max_bytes": max_bytes, "event_max_bytes": EVENT_MAX_BYTES}
    with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader("json", ByteaBinaryLoader)  # its binary form is its text
        cursor.execute(_WAITING, bounds)
        return list(map(Row._make, cursor.fetchall()))
