"""The relay on a real PostgreSQL, into inboxes in memory: once, in order, whatever breaks off; several relays too."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from producers.outbox import metrics, slots
from producers.outbox.database import connect
from producers.outbox.relay import RelaySettings
from producers.outbox.run_relay import run_relay
from producers.outbox.slots import Slot, Standing, share_of
from producers.outbox.upkeep import read_status
from tests.eventually import eventually
from tests.producers.outbox.kit import (
    SETTINGS,
    MemoryInboxes,
    Outbox,
    empty,
    events,
    hold_to_order,
    relay_on,
    rows_of,
)
from tidings.clock import SystemClock
from tidings.errors import BadInput, Fatal, Retriable
from tidings.metrics import MetricStore

pytestmark = pytest.mark.postgresql

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tidings outbox'"


class Running:
    """A relay in a thread of its own, kept going. `end` drains it; what ended it otherwise is in `failure`."""

    def __init__(self, outbox: Outbox, inboxes: MemoryInboxes, settings: RelaySettings = SETTINGS) -> None:
        self._told = threading.Event()
        self.failure: BaseException | None = None
        self.store = MetricStore(metrics.OUTBOX_METRICS)

        def work() -> None:
            try:
                run_relay(
                    lambda: connect(outbox.dsn()),
                    lambda connection: relay_on(connection, inboxes, settings, store=self.store),
                    SystemClock(),
                    lambda: not self._told.is_set(),
                )
            except BaseException as failure:  # noqa: BLE001 -- for the test to see
                self.failure = failure

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def end(self) -> None:
        """Drain it."""
        self._told.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


@contextmanager
def running(outbox: Outbox, inboxes: MemoryInboxes, count: int = 1, **more: RelaySettings) -> Iterator[list[Running]]:
    """Relays beside each other; none of them may fail."""
    relays = [Running(outbox, inboxes, **more) for _ in range(count)]
    try:
        yield relays
    finally:
        for each in relays:
            each.end()
    assert [each.failure for each in relays] == [None] * count


def test_every_row_goes_once_in_order(outbox: Outbox) -> None:
    """Rows of few subjects in many small batches."""
    rows = rows_of(200)
    outbox.insert(rows)
    inboxes = MemoryInboxes()
    empty(outbox, inboxes)

    hold_to_order(inboxes.ids(), rows)
    assert outbox.states() == {"sent": 200}
    assert outbox.run("SELECT count(*) FROM tidings.outbox_slots WHERE owner IS NULL AND batch_id IS NULL") == [(4,)]


def test_what_was_sent_is_on_record(outbox: Outbox) -> None:
    """Each row stands in one batch, in the order in which it was sent, under the token of its transaction."""
    outbox.insert(rows_of(60))
    inboxes = MemoryInboxes()
    empty(outbox, inboxes)
    batches = outbox.run(
        "SELECT s.writer, b.batch_id::text, b.row_ids, b.sent_at"
        " FROM tidings.outbox_batches b JOIN tidings.outbox_slots s ON s.slot = b.slot ORDER BY b.sent_at"
    )
    event_ids = dict(outbox.run("SELECT row_id, event_id::text FROM tidings.outbox"))
    since = dict(outbox.run("SELECT row_id, done_at FROM tidings.outbox_rows"))

    assert sorted(row_id for batch in batches for row_id in batch[2]) == list(range(1, 61))
    assert sorted(event_ids[row_id] for batch in batches for row_id in batch[2]) == sorted(inboxes.ids())
    assert {writer: batch_id for writer, batch_id, _, _ in batches} == inboxes.tokens
    assert all(since[row_id] == sent_at for _, _, row_ids, sent_at in batches for row_id in row_ids)
    assert all(row_ids == sorted(row_ids) for _, _, row_ids, _ in batches)


def test_a_row_that_is_taken_away_keeps_nobody_waiting(outbox: Outbox) -> None:
    """Its owner may delete it while it waits: it is not sent, and rows behind it are."""
    rows = rows_of(30)
    outbox.insert(rows)
    outbox.run("DELETE FROM tidings.outbox WHERE row_id < 11")
    inboxes = MemoryInboxes()
    with running(outbox, inboxes):
        eventually(lambda: outbox.states() == {"sent": 20}, "what is left is sent")
        eventually(lambda: outbox.run("SELECT count(*) FROM tidings.outbox_waiting") == [(0,)], "nothing waits")

    hold_to_order(inboxes.ids(), rows[10:])


@pytest.mark.parametrize("step", ["noted", "written"])
@pytest.mark.parametrize("number", [1, 3])
def test_a_relay_that_ends_at_a_step_loses_and_doubles_nothing(outbox: Outbox, step: str, number: int) -> None:
    """Before the batch is in the inboxes, and after that but before the rows are marked."""
    rows = rows_of(120)
    outbox.insert(rows)
    inboxes = MemoryInboxes()
    met = 0

    def probe(at: str) -> None:
        nonlocal met
        met += at == step
        if met == number and at == step:
            raise KeyboardInterrupt

    with connect(outbox.dsn()) as connection, pytest.raises(KeyboardInterrupt):
        relay_on(connection, inboxes, probe=probe).run(lambda: True)
    assert "waiting" in outbox.states()
    empty(outbox, inboxes)

    hold_to_order(inboxes.ids(), rows)
    assert outbox.states() == {"sent": 120}


@pytest.mark.parametrize("fail", ["before", "after", "fenced"])
def test_a_commit_whose_outcome_nobody_knows(outbox: Outbox, fail: str) -> None:
    """The relay begins again and learns from the token whether it was made; also where a client of its own that it had
    given up fenced it, as happens where a broker restarts."""
    rows = rows_of(60)
    outbox.insert(rows)
    inboxes = MemoryInboxes()
    inboxes.fail = fail
    with running(outbox, inboxes):
        eventually(lambda: outbox.states() == {"sent": 60}, "all is sent")

    hold_to_order(inboxes.ids(), rows)


def test_several_relays_share_the_slots_and_keep_the_order(outbox: Outbox) -> None:
    """Rows come while three relays work, and one after the other goes."""
    rows = rows_of(600)
    inboxes = MemoryInboxes()
    with running(outbox, inboxes, 3) as relays:
        eventually(
            lambda: sorted(each.store.value(metrics.SLOTS) for each in relays) == [1.0, 1.0, 2.0],
            "the slots are shared out",
        )
        for at in range(0, 600, 60):
            outbox.insert(rows[at : at + 60])
            if at == 240:
                relays[0].end()
            if at == 420:
                relays[1].end()
        eventually(lambda: outbox.states() == {"sent": 600}, "all is sent")
        assert relays[2].store.value(metrics.SLOTS) == 4.0

    hold_to_order(inboxes.ids(), rows)


def test_sessions_that_the_server_ends(outbox: Outbox) -> None:
    """Relays whose sessions are cut again and again begin anew; nothing is lost or doubled."""
    rows = rows_of(400)
    inboxes = MemoryInboxes()
    with running(outbox, inboxes, 2):
        for at in range(0, 400, 100):
            outbox.insert(rows[at : at + 100])
            outbox.run(CUT)
        eventually(lambda: outbox.states() == {"sent": 400}, "all is sent")

    hold_to_order(inboxes.ids(), rows)


def test_a_relay_that_hung_cannot_write_when_it_wakes(outbox: Outbox) -> None:
    """Its session was ended while it stood before a commit; another took its slot; its own write is refused."""
    rows = rows_of(40)
    outbox.insert(rows)
    inboxes = MemoryInboxes()
    other: list[str] = []

    def hang(step: str) -> None:
        if step == "noted" and not other:
            outbox.run(CUT)
            eventually(lambda: _relays(outbox) == 0, "its session is over")
            empty(outbox, inboxes)
            other.extend(inboxes.ids())

    with connect(outbox.dsn()) as connection, pytest.raises(Retriable):
        relay_on(connection, inboxes, probe=hang).run(lambda: True)

    assert len(other) == 40
    assert inboxes.ids() == other
    hold_to_order(other, rows)


def _relays(outbox: Outbox) -> int:
    with outbox.postgres.connect(outbox.name, "operator") as session:
        return len(slots.look(session).relays)


def test_bad_rows_keep_nobody_waiting(outbox: Outbox) -> None:
    """Each is refused with its reasons; rows behind it go, those of its own subject too."""
    sound = rows_of(30, subjects=1)
    bad = (sound[0][0], sound[0][1] | {"event_id": "x", "environment": "LIVE"})
    outbox.insert([*sound[:10], bad, ("no-such-type", "{}"), *sound[10:]])
    inboxes = MemoryInboxes()
    store = MetricStore(metrics.OUTBOX_METRICS)
    empty(outbox, inboxes, store=store)

    hold_to_order(inboxes.ids(), sound)
    assert outbox.run("SELECT row_id, reasons FROM tidings.outbox_rows WHERE state = 'refused' ORDER BY row_id") == [
        (11, ["environment_mismatch:environment", "event_id_invalid:event_id"]),
        (12, ["schema_unknown:event_type"]),
    ]
    assert store.value(metrics.ROWS, "death-registered", "sent") == 30
    assert store.value(metrics.ROWS, "unknown", "refused") == 1
    assert store.value(metrics.REFUSALS, "death-registered", "event_id_invalid") == 1


def test_an_empty_batch_of_refused_rows_alone(outbox: Outbox) -> None:
    """Nothing is written, and the relay goes on."""
    outbox.insert([("no-such-type", "{}")] * 20)
    inboxes = MemoryInboxes()
    empty(outbox, inboxes)

    assert inboxes.records == []
    assert outbox.states() == {"refused": 20}


def test_flags_stand_in_the_row(outbox: Outbox) -> None:
    """A row that is sent with a doubt says so."""
    [(kind, event)] = events(1)
    event["usual_residence"] = (event["usual_residence"] or {"lines": []}) | {"postcode": "none"}
    outbox.insert([(kind, event)])
    empty(outbox, MemoryInboxes())
    [(state, flags)] = outbox.run("SELECT state, flags FROM tidings.outbox_rows")

    assert state == "sent"
    assert any("usual_residence.postcode" in flag for flag in flags)


def test_rows_wake_a_relay_that_waits(outbox: Outbox) -> None:
    """It would look by itself only after an hour."""
    inboxes = MemoryInboxes()
    patient = RelaySettings(wait_seconds=3_600.0, look_seconds=0.0)
    with running(outbox, inboxes, settings=patient) as [relay]:
        eventually(lambda: relay.store.value(metrics.SLOTS) == 4, "it has its slots")
        eventually(lambda: _idle(outbox), "it waits")
        rows = rows_of(20)
        outbox.insert(rows)
        eventually(lambda: outbox.states() == {"sent": 20}, "all is sent")
        relay._told.set()
        eventually(lambda: _idle(outbox), "it waits again")
        outbox.insert([("no-such-type", "{}")])  # for it to see that it was told to end

    hold_to_order(inboxes.ids(), rows)


def test_wakes_that_came_while_it_worked_are_forgotten(outbox: Outbox) -> None:
    """Hundreds of them neither pile up in the client nor make it look hundreds of times."""
    with connect(outbox.dsn()) as connection:
        turns = 0

        def going_on() -> bool:
            nonlocal turns
            turns += 1
            return turns < 4

        relay = relay_on(connection, MemoryInboxes(), RelaySettings(wait_seconds=0.05))
        with outbox.postgres.connect(outbox.name, "app") as session:
            for _ in range(300):
                session.execute("INSERT INTO tidings.outbox (event_type, event) VALUES ('no-such-type', '{}')")
        relay.run(going_on)

        assert list(connection.notifies(timeout=0)) == []


def _idle(outbox: Outbox) -> bool:
    found = outbox.run("SELECT state, wait_event FROM pg_stat_activity WHERE application_name = 'tidings outbox'")
    return found == [("idle", "ClientRead")]


def test_a_transaction_that_commits_late_is_seen(outbox: Outbox) -> None:
    """Its rows have lower ids than some that were sent already."""
    inboxes = MemoryInboxes()
    rows = rows_of(40)
    with outbox.postgres.connect(outbox.name, "app") as session:
        with session.transaction():
            for kind, event in rows[:20]:
                session.execute(
                    "INSERT INTO tidings.outbox (event_type, event) VALUES (%s, %s)",
                    (kind, psycopg.types.json.Json(event)),
                )
            outbox.insert(rows[20:])
            empty(outbox, inboxes)
            assert len(inboxes.records) == 20
        empty(outbox, inboxes)

    assert sorted(inboxes.ids()) == sorted(event["event_id"] for _, event in rows)


def test_the_session_of_a_relay(outbox: Outbox) -> None:
    """No compiling of small queries, nothing lost by asynchronous commits, no session that hangs for ever."""
    outbox.run("ALTER ROLE relay SET synchronous_commit = off")
    try:
        with connect(outbox.dsn()) as connection:
            said = {
                name: connection.execute(f"SHOW {name}").fetchone()  # type: ignore[call-overload]
                for name in ("jit", "synchronous_commit", "idle_session_timeout", "idle_in_transaction_session_timeout")
            }
    finally:
        outbox.run("ALTER ROLE relay RESET synchronous_commit")

    assert said == {
        "jit": ("off",),
        "synchronous_commit": ("on",),
        "idle_session_timeout": ("3min",),
        "idle_in_transaction_session_timeout": ("1min",),
    }


def test_what_a_connection_may_not_be(outbox: Outbox) -> None:
    """A password in the connection string, no such database, no outbox in it: each is said without a value."""
    with pytest.raises(BadInput, match="PGPASSFILE") as refusal:
        connect("host=x password=hunter2")
    assert "hunter2" not in str(refusal.value)
    with pytest.raises(BadInput):
        connect("no connection string")
    with pytest.raises(Retriable, match="OperationalError"):
        connect(outbox.postgres.dsn("nowhere", "relay"))
    with pytest.raises(Fatal, match="tidings outbox sql"):
        connect(outbox.postgres.dsn("postgres", "relay"))


def test_a_relay_without_its_role_stops(outbox: Outbox) -> None:
    """It may not go on, and says which right was refused."""
    with connect(outbox.dsn("app")) as connection, pytest.raises(Fatal, match="InsufficientPrivilege"):
        relay_on(connection, MemoryInboxes())


@pytest.mark.parametrize(
    ("relays", "shares"), [((5,), [4]), ((1, 9), [2, 2]), ((1, 2, 3), [2, 1, 1]), ((1, 2, 3, 4, 5), [1, 1, 1, 1, 0])]
)
def test_shares_are_even(relays: tuple[int, ...], shares: list[int]) -> None:
    """All slots are somebody's, none is two relays'."""
    standing = Standing(tuple(Slot(number, None, owned=False, busy=False) for number in range(4)), relays)

    assert [share_of(relay, standing) for relay in relays] == shares
    assert share_of(77, standing) == 0


def test_the_status_says_what_waits_and_for_how_long(outbox: Outbox) -> None:
    """Lag in rows and seconds, by slot and in all, and relays by what lives."""
    outbox.insert([*rows_of(30), ("no-such-type", "{}")])
    outbox.run("UPDATE tidings.outbox SET created_at = now() - interval '1 hour' WHERE row_id = 1")
    with connect(outbox.dsn("operator")) as asking, connect(outbox.dsn()) as connection:
        before = read_status(asking)
        relay = relay_on(connection, MemoryInboxes())
        relay.run(lambda: "waiting" in outbox.states())
        after = read_status(asking)

    assert (before.waiting_rows, before.relays, before.refused_rows) == (31, 0, 0)
    assert 3_600 <= before.waiting_seconds < 4_000
    assert (after.waiting_rows, after.waiting_seconds, after.relays, after.refused_rows) == (0, 0.0, 1, 1)
    [refused] = after.refused
    assert (refused.row_id, refused.reasons) == (31, ("schema_unknown:event_type",))
