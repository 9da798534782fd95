"""What a batch costs does not hang on what the database's statistics say: they are of before the rows came."""

from __future__ import annotations

from uuid import uuid4

import pytest

from producers.outbox import slots
from producers.outbox.database import Connection, connect
from producers.outbox.slots import Held
from tests.producers.outbox.kit import Outbox

pytestmark = pytest.mark.postgresql

WAITING = "INSERT INTO tidings.outbox_waiting (slot, row_id, bytes) SELECT 1, n, 800 FROM generate_series(1, 8000) n"
ANALYSED = {
    "never": [],
    "when one row waited": ["INSERT INTO tidings.outbox_waiting VALUES (1, 1, 1)", "ANALYZE tidings.outbox_waiting",
                            "DELETE FROM tidings.outbox_waiting"],
    "when all were gone": [WAITING, "DELETE FROM tidings.outbox_waiting", "ANALYZE tidings.outbox_waiting"],
}  # fmt: skip
BATCH = range(1, 501)


def _touched(connection: Connection) -> int:
    """How many index entries and rows of the table of what waits this transaction has read."""
    found = connection.execute(
        "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'outbox_waiting'"
    ).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("analysed", ANALYSED.values(), ids=ANALYSED)
@pytest.mark.parametrize("way", ["sent", "forgotten"])
def test_a_batch_reads_its_own_rows_alone(outbox: Outbox, analysed: list[str], way: str) -> None:
    """Of 8,000 that wait, whatever was waiting when they were last counted."""
    outbox.run("ALTER TABLE tidings.outbox_waiting SET (autovacuum_enabled = off)")
    for statement in (*analysed, WAITING):
        outbox.run(statement)
    held = Held(1, uuid4())
    with connect(outbox.dsn("relay")) as connection, connection.transaction():
        slots.begin_batch(connection, held, held.batch_id, BATCH)
        before = _touched(connection)
        if way == "sent":
            assert slots.mark_sent(connection, held) == len(BATCH)
        else:
            slots.forget(connection, held, BATCH)

        assert _touched(connection) - before == len(BATCH)
    assert outbox.run("SELECT count(*), min(row_id) FROM tidings.outbox_waiting") == [(7500, 501)]
    outbox.run("ALTER TABLE tidings.outbox_waiting RESET (autovacuum_enabled)")
