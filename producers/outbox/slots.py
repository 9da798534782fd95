"""Slots: whose they are, and the one batch that each is writing.

A relay's number is an advisory lock of its session, so that its death is known as soon as the server knows it. A slot
is taken and turned under a lock on its row that passes over what another holds (`FOR UPDATE SKIP LOCKED`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from producers.outbox.database import CHANNEL, Connection

# The class of our advisory locks: "tidi".
_CLASS = 0x74696469

_ALIVE = f"""
SELECT objid::bigint AS relay FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND classid = {_CLASS} AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
"""  # noqa: S608 -- a number of ours
_LOOK = f"""
WITH alive AS MATERIALIZED ({_ALIVE})
SELECT slot, owner, owner IN (SELECT relay FROM alive), (SELECT array_agg(relay ORDER BY relay) FROM alive),
  batch_id IS NOT NULL
    OR EXISTS (SELECT FROM tidings.outbox_waiting w WHERE w.slot = s.slot)
FROM tidings.outbox_slots s ORDER BY slot
"""  # noqa: S608
_TAKE = f"""
WITH alive AS MATERIALIZED ({_ALIVE})
UPDATE tidings.outbox_slots SET owner = %(relay)s
WHERE slot = (
  SELECT slot FROM tidings.outbox_slots
  WHERE owner IS NULL OR owner NOT IN (SELECT relay FROM alive) OR owner = %(relay)s AND slot <> ALL (%(held)s)
  ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING slot, writer
"""  # noqa: S608
_BUSY = """
SELECT batch_id IS NOT NULL
  OR EXISTS (SELECT FROM tidings.outbox_waiting w WHERE w.slot = s.slot)
FROM tidings.outbox_slots s WHERE slot = %s
"""
_HOLD = "SELECT batch_id FROM tidings.outbox_slots WHERE slot = %s AND owner = %s FOR UPDATE SKIP LOCKED"
_BEGIN = """
UPDATE tidings.outbox_slots SET batch_id = %s, batch_rows = %s::text::bigint[], turned_at = clock_timestamp()
WHERE slot = %s
"""
_SENT = """
INSERT INTO tidings.outbox_batches (batch_id, slot, row_ids, row_count, last_row)
SELECT batch_id, slot, batch_rows, cardinality(batch_rows), batch_rows[cardinality(batch_rows)]
FROM tidings.outbox_slots WHERE slot = %s
RETURNING row_ids[1], last_row, row_ids::text
"""
# By a list that the server knows when it plans, between its ends, and no join with it: where the statistics are of a
# time at which nothing waited, a join would go through all that waits again for each row of the batch.
_DONE = """
DELETE FROM tidings.outbox_waiting
WHERE slot = %s AND row_id BETWEEN %s AND %s AND row_id = ANY (%s::bigint[])
"""
_FOUND = """
INSERT INTO tidings.outbox_findings (row_id, refused, findings)
SELECT b.row_id, %(refused)s, string_to_array(b.said, ' ')
FROM (SELECT unnest(%(rows)s::bigint[]) AS row_id, unnest(%(said)s::text[]) AS said) b
ON CONFLICT (row_id) DO UPDATE
SET refused = excluded.refused, findings = excluded.findings, found_at = clock_timestamp()
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot as it stands: who owns it, whether that relay lives, whether there is anything to do in it."""

    slot: int
    owner: int | None
    owned: bool
    busy: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """All slots, and the numbers of the relays that live, in ascending order."""

    slots: tuple[Slot, ...]
    relays: tuple[int, ...]


def enter(connection: Connection) -> int:
    """Take a number for this relay for as long as the session lasts, and listen for rows. Returns it."""
    while True:
        [relay] = _one(connection, "SELECT nextval('tidings.outbox_relays')::integer")
        [mine] = _one(connection, "SELECT pg_try_advisory_lock(%s, %s)", _CLASS, relay)
        if mine:
            connection.execute(f"LISTEN {CHANNEL}")
            return int(relay)


def look(connection: Connection) -> Standing:
    """How the slots stand."""
    rows = connection.execute(_LOOK).fetchall()
    slots = tuple(Slot(slot, owner, bool(owned), busy) for slot, owner, owned, _, busy in rows)
    return Standing(slots, tuple(rows[0][3] or ()) if rows else ())


def share_of(relay: int, standing: Standing) -> int:
    """How many slots are `relay`'s share: all are shared out evenly, the first relays have one more."""
    each, more = divmod(len(standing.slots), len(standing.relays) or 1)
    return each + (standing.relays.index(relay) < more) if relay in standing.relays else 0


def take(connection: Connection, relay: int, held: Sequence[int]) -> tuple[int, str] | None:
    """Make a slot that no living relay owns, or that `relay` owns and is none of `held`, `relay`'s. Returns it with its
    writer's name, or None where there is none."""
    found = connection.execute(_TAKE, {"relay": relay, "held": list(held)}).fetchone()
    return None if found is None else (found[0], found[1])


def release(connection: Connection, relay: int, slot: int) -> None:
    """Give a slot up, where it is still `relay`'s."""
    connection.execute("UPDATE tidings.outbox_slots SET owner = NULL WHERE slot = %s AND owner = %s", (slot, relay))


@dataclass(frozen=True, slots=True)
class Held:
    """A slot that is ours for the rest of the transaction, and the batch that it was writing."""

    slot: int
    batch_id: UUID | None


def hold(connection: Connection, relay: int, slot: int) -> Held | None:
    """Lock the slot for the rest of the transaction; None where it is no longer `relay`'s, or somebody is at it."""
    found = connection.execute(_HOLD, (slot, relay)).fetchone()
    return None if found is None else Held(slot, found[0])


def is_busy(connection: Connection, slot: int) -> bool:
    """Whether rows of the slot wait, or are being written."""
    [busy] = _one(connection, _BUSY, slot)
    return bool(busy)


def mark_sent(connection: Connection, held: Held) -> int:
    """Record the batch that was being written as sent; its rows wait no more. Returns how many they are."""
    first, last, rows = _one(connection, _SENT, held.slot)
    return connection.execute(_DONE, (held.slot, first, last, rows)).rowcount


def begin_batch(connection: Connection, held: Held, batch_id: UUID | None, rows: Sequence[int]) -> None:
    """Note which rows the next batch writes; with None, that none is being written."""
    connection.execute(_BEGIN, (batch_id, _listed(rows) if batch_id else None, held.slot))


def mark_refused(connection: Connection, held: Held, rows: Sequence[tuple[int, str]]) -> None:
    """Keep why rows are refused, each with its reasons, parted by spaces; they wait no more."""
    _keep(connection, rows, refused=True)
    forget(connection, held, [row for row, _ in rows])


def mark_flags(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Keep the flags, parted by spaces, of rows that go on their way with them."""
    _keep(connection, rows, refused=False)


def forget(connection: Connection, held: Held, rows: Sequence[int]) -> None:
    """Rows of the slot wait no more."""
    connection.execute(_DONE, (held.slot, min(rows), max(rows), _listed(rows)))


def _listed(rows: Sequence[int]) -> str:
    """PostgreSQL's text of an array: the client takes ten times as long over a list of numbers."""
    return "{" + ",".join(map(str, rows)) + "}"


def _keep(connection: Connection, rows: Sequence[tuple[int, str]], *, refused: bool) -> None:
    values = {"refused": refused, "rows": [row for row, _ in rows], "said": [said for _, said in rows]}
    connection.execute(_FOUND, values)


def _one(connection: Connection, query: str, *values: Any) -> tuple[Any, ...]:
    found = connection.execute(query, values).fetchone()
    assert found is not None  # noqa: S101 -- such a query has one row
    return found
