"""Rows as they are fetched."""

from __future__ import annotations

import json

import pytest

from producers.outbox.database import connect
from producers.outbox.rows import EVENT_MAX_BYTES, WAITING, Rows, Waiting, read_waiting
from tests.producers.outbox.kit import Outbox, rows_of

pytestmark = pytest.mark.postgresql

MUCH = 10**9


def waiting(outbox: Outbox, max_rows: int = 100, max_bytes: int = MUCH) -> list[Waiting]:
    """What waits in each slot in which anything does."""
    with connect(outbox.dsn()) as connection:
        found = [read_waiting(connection, slot, max_rows, max_bytes) for slot in range(4)]
    return [each for each in found if each != (Rows(), [])]


def test_rows_come_in_order_with_their_own_bytes(outbox: Outbox) -> None:
    """Each slot's rows by id, the JSON as it was written, whatever characters and spaces it has."""
    texts = ['{"a":  1}', "{}", '{"name": "Zoë 李 \\u00e9"}', json.dumps({"long": "x" * 100_000}), " [1, 2] "]
    outbox.insert([(f"type-{number}", text) for number, text in enumerate(texts)])
    [found] = waiting(outbox)

    assert found.rows.row_ids == (1, 2, 3, 4, 5)
    assert found.rows.event_types == tuple(f"type-{number}" for number in range(5))
    assert found.rows.events == tuple(text.encode() for text in texts)


def test_a_slot_without_rows_gives_none(outbox: Outbox) -> None:
    """Nothing at all."""
    with connect(outbox.dsn()) as connection:
        assert read_waiting(connection, 0, 100, MUCH) == (Rows(), [])


def test_a_batch_is_bounded_by_rows_and_by_bytes(outbox: Outbox) -> None:
    """The oldest come first; the row that fills the room is the last; the rest still waits."""
    outbox.insert([("x", json.dumps({"n": n, "fill": "y" * 1_000})) for n in range(10)])
    [whole], [few], [small] = waiting(outbox), waiting(outbox, max_rows=3), waiting(outbox, max_bytes=1_500)

    assert whole.rows.row_ids == tuple(range(1, 11))
    assert few.rows.events == whole.rows.events[:3]
    assert small.rows.events == whole.rows.events[:2]


def test_a_row_that_no_inbox_could_take_is_not_fetched(outbox: Outbox) -> None:
    """Its length alone is looked at; it counts as room all the same."""
    outbox.insert([("x", json.dumps("y" * EVENT_MAX_BYTES)), ("x", json.dumps("y" * (EVENT_MAX_BYTES - 2)))])
    [found] = waiting(outbox)

    assert found.rows.row_ids == (1, 2)
    assert [event is None for event in found.rows.events] == [True, False]


def test_only_what_waits_is_read(outbox: Outbox) -> None:
    """Rows that wait no more are passed over; of those that somebody took away the ids alone are said."""
    outbox.insert(rows_of(4, subjects=1))
    outbox.run("DELETE FROM tidings.outbox_waiting WHERE row_id IN (1, 3)")
    outbox.run("DELETE FROM tidings.outbox WHERE row_id = 4")
    [found] = waiting(outbox)

    assert found.rows.row_ids == (2,)
    assert found.gone == [4]


def test_rows_are_found_by_index_in_a_small_outbox_too(outbox: Outbox) -> None:
    """The plan is kept while the outbox grows: one that reads all that was ever sent would become ever slower."""
    outbox.insert(rows_of(50))
    outbox.run("ANALYZE tidings.outbox, tidings.outbox_waiting")
    bounds = {"slot": 0, "max_rows": 4_000, "max_bytes": MUCH, "event_max_bytes": EVENT_MAX_BYTES}
    with connect(outbox.dsn()) as connection:
        plan = "\n".join(line for (line,) in connection.execute("EXPLAIN " + WAITING, bounds).fetchall())

    assert "Index Scan using outbox_pkey" in plan
    assert "outbox_waiting_pkey" in plan
    assert not any(word in plan for word in ("Seq Scan", "Hash", "Merge"))


def test_a_rows_repr_has_nothing_of_its_event() -> None:
    """It may stand in a trace."""
    assert repr(Rows((7,), ("Jane",), (b"Doe",))) == "Rows([7])"
