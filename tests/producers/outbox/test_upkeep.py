"""Retry and purge."""

from __future__ import annotations

import json

import pytest

from producers.outbox.database import connect
from producers.outbox.upkeep import purge_rows, retry_rows
from tests.producers.outbox.kit import Event, MemoryInboxes, Outbox, empty, rows_of
from tidings.errors import BadInput, Fatal

pytestmark = pytest.mark.postgresql

SOUND = rows_of(4, subjects=2)
BAD = (SOUND[0][0], SOUND[0][1] | {"environment": "LIVE"})


def refused(outbox: Outbox, *rows: Event) -> MemoryInboxes:
    """Rows that were relayed, some of them refused."""
    inboxes = MemoryInboxes()
    outbox.insert(rows)
    empty(outbox, inboxes)
    return inboxes


def test_a_mended_row_goes_in_again_under_a_new_event_id(outbox: Outbox) -> None:
    """The refused row stays, marked as replaced by one that is behind all others."""
    inboxes = refused(outbox, BAD, SOUND[1])
    mended = json.dumps(SOUND[0][1])
    with connect(outbox.dsn("operator")) as connection:
        assert retry_rows(connection, [1], mended=mended) == [(1, 3)]
    empty(outbox, inboxes)
    found = outbox.run("SELECT row_id, state, replaces, event_id::text FROM tidings.outbox_rows ORDER BY row_id")

    assert [row[:3] for row in found] == [(1, "replaced", None), (2, "sent", None), (3, "sent", 1)]
    assert inboxes.ids() == [SOUND[1][1]["event_id"], found[2][3]]
    assert found[2][3] != BAD[1]["event_id"]


def test_an_event_id_of_ones_own_stays(outbox: Outbox) -> None:
    """Where the mended event has another than the refused one."""
    inboxes = refused(outbox, BAD)
    with connect(outbox.dsn("operator")) as connection:
        retry_rows(connection, [1], mended=json.dumps(SOUND[2][1]))
    empty(outbox, inboxes)

    assert inboxes.ids() == [SOUND[2][1]["event_id"]]


def test_rows_are_chosen_by_reason(outbox: Outbox) -> None:
    """The reason code with any path; what is refused again can be retried again."""
    refused(outbox, BAD, ("no-such-type", {}), SOUND[1])
    with connect(outbox.dsn("operator")) as connection:
        assert retry_rows(connection, reason="schema_unknown") == [(2, 4)]
        assert retry_rows(connection, reason="schema") == []
    empty(outbox, MemoryInboxes())

    assert outbox.run("SELECT row_id, state FROM tidings.outbox_rows ORDER BY row_id") == [
        (1, "refused"),
        (2, "replaced"),
        (3, "sent"),
        (4, "refused"),
    ]
    with connect(outbox.dsn("operator")) as connection:
        assert retry_rows(connection) == [(1, 5), (4, 6)]


@pytest.mark.parametrize("rows", [[2], [99], [1, 99]])
def test_what_was_not_refused_is_not_retried(outbox: Outbox, rows: list[int]) -> None:
    """Neither what was sent nor what is not there; nothing is done by halves."""
    refused(outbox, BAD, SOUND[1])
    with connect(outbox.dsn("operator")) as connection, pytest.raises(BadInput, match="not-refused"):
        retry_rows(connection, rows)

    assert outbox.states() == {"refused": 1, "sent": 1}


def test_a_mended_event_is_for_one_row_and_is_json(outbox: Outbox) -> None:
    """Else nothing is done, and no value is said."""
    refused(outbox, BAD, (BAD[0], SOUND[1][1] | {"environment": "LIVE"}))
    with connect(outbox.dsn("operator")) as connection:
        with pytest.raises(BadInput, match="one-row"):
            retry_rows(connection, mended="{}")
        with pytest.raises(Fatal, match="InvalidTextRepresentation") as failure:
            retry_rows(connection, [1], mended="Jane Doe")

    assert "Jane" not in str(failure.value)
    assert outbox.states() == {"refused": 2}


def test_old_rows_go_away_and_nothing_else(outbox: Outbox) -> None:
    """What was sent or replaced longer ago; never what waits or is refused."""
    inboxes = refused(outbox, BAD, ("no-such-type", {}), SOUND[1])
    with connect(outbox.dsn("operator")) as connection:
        retry_rows(connection, [2])
        outbox.run("UPDATE tidings.outbox_batches SET sent_at = now() - interval '8 days'")
        outbox.run("UPDATE tidings.outbox_findings SET found_at = '2000-01-01'")
        outbox.run("UPDATE tidings.outbox_findings SET replaced_at = now() - interval '8 days' WHERE row_id = 2")
        outbox.insert(SOUND[2:3])
        empty(outbox, inboxes)
        outbox.insert(SOUND[3:])
        outbox.run("UPDATE tidings.outbox SET created_at = '2000-01-01'")
        heard: list[int] = []
        assert purge_rows(connection, "7d", heard.append) == 2

    assert heard[-1] == 2
    assert outbox.run("SELECT row_id, state FROM tidings.outbox_rows ORDER BY row_id") == [
        (1, "refused"),
        (4, "refused"),
        (5, "sent"),
        (6, "waiting"),
    ]
    assert outbox.run("SELECT row_ids FROM tidings.outbox_batches") == [([5],)]
    assert outbox.run("SELECT row_id FROM tidings.outbox_findings ORDER BY row_id") == [(1,), (4,)]
    assert len(inboxes.records) == 2


def test_purging_goes_in_steps(outbox: Outbox) -> None:
    """Whole batches, up to ten thousand rows a transaction, so that nobody waits for it."""
    outbox.run("INSERT INTO tidings.outbox (event_type, event) SELECT 'x', '{}' FROM generate_series(1, 25000)")
    outbox.run("TRUNCATE tidings.outbox_waiting")
    outbox.run(
        "INSERT INTO tidings.outbox_batches (batch_id, sent_at, last_row, row_count, slot, row_ids)"
        " SELECT gen_random_uuid(), '2000-01-01', max(row_id), count(*), 0, array_agg(row_id)"
        " FROM tidings.outbox GROUP BY (row_id - 1) / 1000"
    )
    heard: list[int] = []
    with connect(outbox.dsn("operator")) as connection:
        assert purge_rows(connection, "1d", heard.append) == 25_000

    assert heard == [10_000, 20_000, 25_000]
    assert outbox.states() == {}


@pytest.mark.parametrize("age", ["", "7", "7 days", "-1d", "1y", "9999999d"])
def test_an_age_is_a_number_and_a_unit(outbox: Outbox, age: str) -> None:
    """Anything else is refused before a row is touched."""
    with connect(outbox.dsn("operator")) as connection, pytest.raises(BadInput, match="90d"):
        purge_rows(connection, age)


def test_who_may_not_is_told(outbox: Outbox) -> None:
    """The relay's login neither retries nor purges."""
    with connect(outbox.dsn()) as connection:
        with pytest.raises(Fatal, match="InsufficientPrivilege"):
            purge_rows(connection, "1d")
        with pytest.raises(Fatal, match="InsufficientPrivilege"):
            retry_rows(connection)
