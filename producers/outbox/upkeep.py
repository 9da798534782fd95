"""What an operator of an outbox asks and does: how it stands, refused rows again, old rows away. No event is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from producers.outbox.database import Connection, said_by_class
from producers.outbox.slots import Slot, look
from tidings.errors import BadInput, BadUsage, Problem

PURGED_AT_ONCE = 10_000

_LAG = """
SELECT s.slot, coalesce(extract(epoch FROM clock_timestamp() - (
    SELECT o.created_at FROM tidings.outbox o WHERE o.row_id = (
      SELECT w.row_id FROM tidings.outbox_waiting w WHERE w.slot = s.slot ORDER BY w.row_id LIMIT 1
    )
  )), 0)::float8,
  (SELECT count(*) FROM tidings.outbox_waiting w WHERE w.slot = s.slot),
  s.turned_at::text
FROM tidings.outbox_slots s ORDER BY s.slot
"""
_REFUSED = "SELECT count(*) FROM tidings.outbox_findings WHERE refused AND replaced_at IS NULL"
_REASONS = """
SELECT o.row_id, o.event_type, o.event_id::text, f.findings
FROM tidings.outbox_findings f LEFT JOIN tidings.outbox o ON o.row_id = f.row_id
WHERE f.refused AND f.replaced_at IS NULL ORDER BY f.row_id LIMIT %s
"""
_CHOSEN = """
SELECT row_id FROM tidings.outbox_findings
WHERE refused AND replaced_at IS NULL AND (%(rows)s::bigint[] IS NULL OR row_id = ANY (%(rows)s))
  AND (%(code)s::text IS NULL
    OR EXISTS (SELECT FROM unnest(findings) f WHERE f = %(code)s OR starts_with(f, %(code)s || ':')))
ORDER BY row_id
"""
_AGE = re.compile(r"(\d{1,6})(s|m|h|d)\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class SlotLag:
    """One slot: how many rows wait, how long the oldest has, when a batch last began (the server's text)."""

    slot: Slot
    waiting_rows: int
    waiting_seconds: float
    turned_at: str | None


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One refused row and its reasons; nothing of its event but the id."""

    row_id: int
    event_type: str
    event_id: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How an outbox stands. `refused` lists the first of `refused_rows`."""

    slots: tuple[SlotLag, ...]
    relays: int
    refused_rows: int
    refused: tuple[RefusedRow, ...]

    @property
    def waiting_rows(self) -> int:
        """Rows that wait."""
        return sum(each.waiting_rows for each in self.slots)

    @property
    def waiting_seconds(self) -> float:
        """How long the oldest has waited, in seconds by the database's clock; 0 where none waits."""
        return max((each.waiting_seconds for each in self.slots), default=0.0)


def read_status(connection: Connection, listed: int = 20) -> OutboxStatus:
    """How the outbox stands, with at most `listed` refused rows. Raises Retriable or Fatal."""
    with said_by_class("reading the outbox's status"):
        standing = look(connection)
        by_slot = {slot: rest for slot, *rest in connection.execute(_LAG).fetchall()}
        [refused] = connection.execute(_REFUSED).fetchone() or (0,)
        rows = connection.execute(_REASONS, (listed,)).fetchall()
    lags = []
    for slot in standing.slots:
        seconds, waiting, turned_at = by_slot[slot.slot]
        lags.append(SlotLag(slot, waiting, max(0.0, seconds) if waiting else 0.0, turned_at))
    shown = tuple(RefusedRow(row, kind, event_id, tuple(reasons)) for row, kind, event_id, reasons in rows)
    return OutboxStatus(tuple(lags), len(standing.relays), refused, shown)


def retry_rows(
    connection: Connection,
    rows: Sequence[int] | None = None,
    reason: str | None = None,
    mended: str | None = None,
) -> list[tuple[int, int]]:
    """Put refused rows in again, each as a new row under a new event_id behind all others.

    Args: `rows` by id, else all refused; of them those with the reason code `reason`; `mended` is the JSON to take in
    place of the one row's event. Returns pairs (refused row, new row). Raises BadInput where `mended` is given for not
    exactly one refused row, or a row of `rows` is none that is refused; Retriable or Fatal.
    """
    with said_by_class("retrying rows"), connection.transaction():
        chosen = {"rows": list(rows) if rows is not None else None, "code": reason}
        found = [row for (row,) in connection.execute(_CHOSEN, chosen).fetchall()]
        missing = sorted(set(rows or ()) - set(found))
        if missing and reason is None:
            raise BadInput(
                [Problem("(outbox)", 0, f"row {row}", "not-refused", "it is not refused") for row in missing]
            )
        if mended is not None and len(found) != 1:
            raise BadUsage("--event", "one-row", "a mended event is for one row")
        made = connection.execute(
            "SELECT refused_row, new_row FROM tidings.outbox_retry(%s::bigint[], %s::json)", (found, mended)
        )
        return [(old, new) for old, new in made.fetchall()]


def purge_rows(connection: Connection, older_than: str, progress: Callable[[int], None] = lambda _rows: None) -> int:
    """Take away rows that were sent or replaced longer ago than `older_than` (`90d`, `12h`), by batches, about 10,000 a
    transaction.

    `progress` hears the total after each. Returns it. Raises BadUsage where `older_than` is no age, Retriable or Fatal.
    """
    match = _AGE.match(older_than)
    if match is None:
        message = "give an age such as 90d, 12h, 30m or 0s"
        raise BadUsage("--older-than", "age", message)
    age = f"{match[1]} {_UNITS[match[2]]}"
    total: int = 0
    more = True
    while more:
        with said_by_class("purging rows"):
            query = "SELECT purged, more FROM tidings.outbox_purge(%s::interval, %s)"
            purged, more = connection.execute(query, (age, PURGED_AT_ONCE)).fetchone() or (0, False)
        total += purged
        progress(total)
    return total
