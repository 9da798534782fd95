"""The SQL of the outbox on a real PostgreSQL: what it makes, and what each role may do and may not."""

from __future__ import annotations

import json

import psycopg
import pytest

from producers.outbox.create_sql import create_sql
from tests.producers.outbox.kit import Outbox, events, key, rows_of
from tidings.errors import BadInput

pytestmark = pytest.mark.postgresql

MAY = {
    "app": [
        "INSERT INTO tidings.outbox (event_type, event) VALUES ('x', '{}')",
        "INSERT INTO tidings.outbox (event_type, event) VALUES ('x', '{}') ON CONFLICT (event_id) DO NOTHING",
    ],
    "relay": [
        "SELECT event FROM tidings.outbox",
        "DELETE FROM tidings.outbox_waiting WHERE slot = 0 AND row_id = 0",
        """INSERT INTO tidings.outbox_batches (batch_id, last_row, row_count, slot, row_ids)
           VALUES (gen_random_uuid(), 1, 1, 0, '{1}')""",
        """INSERT INTO tidings.outbox_findings (row_id, refused, findings) VALUES (0, true, '{}')
           ON CONFLICT (row_id) DO UPDATE SET refused = true, findings = '{}', found_at = now()""",
        "SELECT slot FROM tidings.outbox_slots FOR UPDATE SKIP LOCKED",
        "SELECT nextval('tidings.outbox_relays')",
    ],
    "operator": [
        "SELECT * FROM tidings.outbox_rows",
        "SELECT * FROM tidings.outbox_slots",
        "SELECT * FROM tidings.outbox_retry('{1}')",
        "SELECT * FROM tidings.outbox_purge('1 day', 10)",
    ],
}
MAY_NOT = {
    "app": [
        "INSERT INTO tidings.outbox (event_type, event, replaces) VALUES ('x', '{}', 1)",
        "SELECT event FROM tidings.outbox",
        "UPDATE tidings.outbox SET event = '{}'",
        "DELETE FROM tidings.outbox",
        "SELECT * FROM tidings.outbox_slots",
        *MAY["relay"],
        *MAY["operator"],
    ],
    "relay": [
        "UPDATE tidings.outbox SET event = '{}'",
        "UPDATE tidings.outbox_slots SET writer = 'x'",
        "DELETE FROM tidings.outbox",
        "DELETE FROM tidings.outbox_slots",
        "INSERT INTO tidings.outbox_waiting (row_id, bytes, slot) VALUES (1, 1, 0)",
        "UPDATE tidings.outbox_batches SET sent_at = now()",
        "DELETE FROM tidings.outbox_batches",
        "UPDATE tidings.outbox_findings SET replaced_at = now()",
        "DELETE FROM tidings.outbox_findings",
        *MAY["app"],
        *MAY["operator"][2:],
    ],
    "operator": [
        "SELECT event FROM tidings.outbox",
        "DELETE FROM tidings.outbox",
        "DELETE FROM tidings.outbox_waiting",
        "DELETE FROM tidings.outbox_batches",
        "DELETE FROM tidings.outbox_findings",
        "UPDATE tidings.outbox_slots SET owner = NULL",
        *MAY["app"],
    ],
}


@pytest.mark.parametrize("login", sorted(MAY))
def test_a_role_may_what_its_duty_needs(outbox: Outbox, login: str) -> None:
    """Each statement is taken."""
    with outbox.postgres.connect(outbox.name, login) as session:
        for statement in MAY[login]:
            session.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize("login", sorted(MAY))
def test_a_role_may_nothing_else(outbox: Outbox, login: str) -> None:
    """Each statement is refused for want of a privilege."""
    with outbox.postgres.connect(outbox.name, login) as session:
        for statement in MAY_NOT[login]:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement)  # type: ignore[call-overload]


def test_a_second_run_changes_nothing(outbox: Outbox) -> None:
    """The script may be run again: rows, writers' names and rights stay."""
    outbox.insert(events(2))
    before = outbox.run("SELECT * FROM tidings.outbox"), outbox.run("SELECT * FROM tidings.outbox_slots ORDER BY slot")
    outbox.run(create_sql())
    after = outbox.run("SELECT * FROM tidings.outbox"), outbox.run("SELECT * FROM tidings.outbox_slots ORDER BY slot")

    assert after == before


def test_all_rows_of_a_subject_are_in_one_slot(outbox: Outbox) -> None:
    """And subjects are spread over all slots."""
    rows = rows_of(200, subjects=50)
    outbox.insert(rows)
    found = outbox.run("SELECT event_id::text, slot FROM tidings.outbox")
    by_id = {event["event_id"]: key(event) for _, event in rows}
    slots: dict[str, set[object]] = {}
    for event_id, slot in found:
        slots.setdefault(by_id[event_id], set()).add(slot)

    assert {len(each) for each in slots.values()} == {1}
    assert set().union(*slots.values()) == {0, 1, 2, 3}


def test_an_event_id_stands_in_one_row(outbox: Outbox) -> None:
    """A repeat is refused with the transaction that it is in, or passed over where the writer says so."""
    [(kind, event)] = events(1)
    outbox.insert([(kind, event)])
    with pytest.raises(psycopg.errors.UniqueViolation):
        outbox.insert([(kind, event)])
    with outbox.postgres.connect(outbox.name, "app") as session:
        session.execute(
            "INSERT INTO tidings.outbox (event_type, event) VALUES (%s, %s) ON CONFLICT (event_id) DO NOTHING",
            (kind, json.dumps(event)),
        )

    assert outbox.states() == {"waiting": 1}


@pytest.mark.parametrize("event", ["{}", "[]", "3", "null", '"text"', '{"event_id": 3, "subject": []}'])
def test_what_is_json_can_be_inserted(outbox: Outbox, event: str) -> None:
    """A row that can be no event breaks nobody's transaction: the relay says what is wrong with it."""
    outbox.insert([("death-registered", event)])

    assert outbox.run("SELECT event_id, slot IS NOT NULL FROM tidings.outbox") == [(None, True)]


@pytest.mark.parametrize("event", ["", "{", '{"a": 1,}', '{"family": "\\u0000"}'])
def test_what_is_no_json_is_refused_at_once(outbox: Outbox, event: str) -> None:
    """PostgreSQL says so to the writer, also of the character that its texts cannot hold."""
    with pytest.raises(psycopg.DataError):
        outbox.insert([("death-registered", event)])


def test_the_wake_up_can_be_left_out(outbox: Outbox) -> None:
    """Without it the script's trigger only has rows wait."""
    assert "pg_notify" in create_sql()
    assert "wake" not in create_sql(wake=False)
    assert outbox.run("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == [("outbox_wait",)]


@pytest.mark.parametrize("slots", [0, 65])
def test_slots_have_bounds(slots: int) -> None:
    """Neither none nor so many that each has a connection for nothing."""
    with pytest.raises(BadInput, match="1 to 64"):
        create_sql(slots)


BY_INDEX = ["enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off"]


def test_functions_of_the_owner_look_nowhere_else(outbox: Outbox) -> None:
    """What runs with the owner's rights has a search path of its own, and is nobody's by default."""
    found = outbox.run(
        "SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'tidings'::regnamespace ORDER BY 1"
    )
    assert found == [
        ("outbox_purge", ["search_path=pg_catalog, pg_temp", *BY_INDEX]),
        ("outbox_retry", ["search_path=pg_catalog, pg_temp"]),
        ("outbox_wait", ["search_path=pg_catalog, pg_temp"]),
    ]
