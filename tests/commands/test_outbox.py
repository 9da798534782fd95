"""`tidings outbox` as an agency uses it: from its own PostgreSQL into the exchange, on the whole stack."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from commands._outbox_run import asked
from producers.outbox.create_sql import create_sql
from producers.outbox.metrics import OUTBOX_METRICS, HeldSlots
from tests.commands.conftest import Running
from tests.commands.kit import CHECKOUT, decided_events, tidings
from tests.eventually import eventually
from tests.producers.outbox.kit import AGENCY, Outbox, event_id_of, rows_of
from tidings.clock import StillClock
from tidings.kafka.health import LIVE_WITHIN_S, Health
from tidings.kafka.read import read_to_end
from tidings.metrics import MetricStore

ROWS = rows_of(30, seed=21)
BAD = (ROWS[0][0], ROWS[0][1] | {"environment": "LIVE", "event_id": "00000000-0000-4000-8000-00000000beef"})


def relay(running: Running, outbox: Outbox) -> subprocess.CompletedProcess[str]:
    """`tidings outbox run` until nothing waits, in a process of its own."""
    command = [sys.executable, "-m", "commands", "outbox", "run", "--as", AGENCY, "--database", outbox.dsn()]
    command += ["--cluster", str(running.life.stack.cluster_file), "--until-empty"]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.stack
@pytest.mark.postgresql
def test_from_the_agencys_table_into_the_exchange(running: Running, outbox: Outbox, tmp_path: Path) -> None:
    """Rows are relayed and decided; a refused one is listed, mended and told; old ones are purged."""
    cluster = running.life.cluster
    before = decided_events(cluster)
    outbox.insert([*ROWS, BAD])
    first = relay(running, outbox)
    operator = outbox.dsn("operator")
    status = tidings("outbox", "status", "--database", operator)
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(BAD[1] | {"environment": "SYNTHETIC"}))
    retried = tidings("outbox", "retry", "31", "--event", mended, "--database", operator)
    second = relay(running, outbox)
    purged = tidings("outbox", "purge", "--older-than", "0s", "--database", operator)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "31 rows wait" not in status.out
    assert "environment_mismatch:environment" in status.out
    assert "0 rows wait" in status.out
    assert (retried.code, retried.out) == (0, "row 31 is replaced by row 32\n1 rows wait again\n")
    assert (purged.code, purged.out) == (0, "32 rows are gone\n")
    wanted = {event["event_id"] for _, event in ROWS}
    inbox = [event_id_of(each.value or b"") for each in read_to_end(cluster, "admin", "inbox.gro.death-registered")]
    assert sorted(each for each in inbox if each in wanted) == sorted(wanted)
    eventually(lambda: decided_events(cluster) == before + 31, "all is decided")
    running.published += 31
    said = first.stdout + first.stderr + second.stdout + second.stderr + status.out
    assert BAD[1]["subject"]["value"] not in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("status", "--database", "password=hunter2"), 64, "PGPASSFILE"),
        (("status", "--database", "host=/nowhere dbname=x"), 75, "connecting to the outbox's database (as --database"),
        (("status", "--database", "port=1"), 75, "no host is said: name it with --database"),
        (("retry", "--database", "dbname=x"), 64, "--reason or --all"),
        (("retry", "1", "--event", "no-such.json"), 65, "no-such-file"),
        (("sql", "--slots", "0"), 64, "1 to 64"),
    ],
)
def test_what_a_new_user_gets_wrong(arguments: tuple[str, ...], code: int, words: str) -> None:
    """One clear message, its exit code, and no secret."""
    said = tidings("outbox", *arguments)

    assert said.code == code
    assert words in said.err
    assert "hunter2" not in said.err


def test_the_sql_is_printed_and_nothing_else() -> None:
    """So that it can be piped into psql."""
    assert tidings("outbox", "sql", "--slots", "8", "--no-wake").out == create_sql(8, wake=False)


def test_health_follows_the_relays() -> None:
    """A relay that has a session is ready, one in reserve too; one without is alive, as long as it asks."""
    clock, told, held = StillClock(), threading.Event(), HeldSlots(MetricStore(OUTBOX_METRICS))
    health = Health(clock, registry=CollectorRegistry())
    going_on = asked(told, held, health, clock)
    seen = []
    for change in (lambda: None, lambda: held.say(1, 0), lambda: held.gone(1)):
        change()
        seen.append((going_on(), health.live(), health.ready()))
    clock.advance(LIVE_WITHIN_S + 1)
    told.set()

    assert seen == [(True, True, False), (True, True, True), (True, True, False)]
    assert not health.live()
    assert not going_on()
