"""How fast one relay empties an outbox: a real PostgreSQL that flushes to disk, a real broker with TLS, rows that wait.

Rows are inserted first. What is measured begins with the relay's first look and ends when the last row is marked as
sent. CPU is the relay's process alone; database and broker share the machine.

    python -m benchmarks.outbox --rows 100000
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.stack import Options, down, up
from producers.outbox.create_sql import create_sql
from producers.outbox.database import Connection, connect
from producers.outbox.metrics import OUTBOX_METRICS
from producers.outbox.relay import Relay, RelaySettings
from producers.outbox.run_relay import run_relay, run_together
from producers.simulator import Settings, simulate
from tests.postgres import Postgres
from tests.producers.outbox.kit import AGENCY, DATABASE, INBOX, LOGINS, judge, provide
from tidings.clock import SystemClock
from tidings.kafka.cluster import Cluster
from tidings.kafka.read import read_to_end
from tidings.kafka.write_once import OnceWriter
from tidings.metrics import MetricStore

PEOPLE = 2_000_000


def fill(server: Postgres, rows: int) -> float:
    """Create an outbox and insert simulated deaths. Returns the seconds that the insert alone took."""
    with server.connect("postgres") as session:
        session.execute(f"CREATE DATABASE {DATABASE}")
    settings = Settings(seed=7, people=PEOPLE, bad_share=0, duplicate_share=0, only=frozenset({"death-registered"}))
    lines = [(each.event_type, json.dumps(each.event)) for each in simulate(rows, settings)]
    with server.connect(DATABASE) as session, session.cursor() as cursor:
        session.execute(create_sql())
        for login, role in LOGINS.items():
            session.execute(f"CREATE ROLE {login} LOGIN IN ROLE {role}")
        began = time.perf_counter()
        with cursor.copy("COPY tidings.outbox (event_type, event) FROM STDIN") as copy:
            for line in lines:
                copy.write_row(line)
        return time.perf_counter() - began


def relay(server: Postgres, cluster: Cluster, batch_rows: int, sessions: int) -> tuple[float, float]:
    """Relay all that waits, as `tidings outbox run --sessions` does. Returns seconds by the wall and of the process."""
    clock = SystemClock()

    def made(connection: Connection) -> Relay:
        return Relay(
            connection,
            judge(),
            lambda name: OnceWriter(cluster, AGENCY, name, clock=clock),
            clock,
            MetricStore(OUTBOX_METRICS),
            RelaySettings(batch_max_rows=batch_rows, until_empty=True),
        )

    def run(going_on: Callable[[], bool]) -> None:
        run_relay(lambda: connect(server.dsn(DATABASE, "relay")), made, clock, going_on)

    gc.collect()
    gc.freeze()  # as `tidings outbox run` does
    began, cpu = time.perf_counter(), time.process_time()
    run_together(sessions, run, lambda: True)
    return time.perf_counter() - began, time.process_time() - cpu


def main() -> None:
    """Measure once and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--batch-rows", type=int, default=RelaySettings().batch_max_rows)
    parser.add_argument("--sessions", type=int, default=2)
    chosen = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="tidings-benchmark-"))
    server = Postgres(fsync=True)
    try:
        server.start()
        cluster = up(Options(home / "data", registry=False, default_ports=False)).cluster
        provide(cluster)
        inserted = fill(server, chosen.rows)
        load = os.getloadavg()[0]
        seconds, cpu = relay(server, cluster, chosen.batch_rows, chosen.sessions)
        written = sum(1 for _ in read_to_end(cluster, "admin", INBOX))
    finally:
        down(home / "data")
        shutil.rmtree(home)
        server.remove()
    told = {
        "rows": chosen.rows,
        "written": written,
        "rows_per_second": round(chosen.rows / seconds),
        "cpu_us_per_row": round(cpu / chosen.rows * 1e6, 1),
        "inserted_rows_per_second": round(chosen.rows / inserted),
        "load_before": round(load, 1),
        "load_after": round(os.getloadavg()[0], 1),
        "processors": os.cpu_count(),
    }
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
