"""How fast one relay empties an outbox: a real PostgreSQL that flushes to disk, a real broker with TLS, rows that wait.

Rows are inserted first, and others were relayed before, so that the broker is warm. What is measured begins with the
relay's first look and ends when the last batch is recorded as sent. Relay, database and broker share the machine; CPU
is said of each.

    python -m benchmarks.outbox --rows 100000
"""

from __future__ import annotations

import argparse
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
from tidings.settle_memory import settle_memory

PEOPLE = 2_000_000


def made(rows: int) -> list[tuple[str, str]]:
    """Simulated deaths, as they are inserted."""
    settings = Settings(seed=7, people=PEOPLE, bad_share=0, duplicate_share=0, only=frozenset({"death-registered"}))
    return [(each.event_type, json.dumps(each.event)) for each in simulate(rows, settings)]


def create(server: Postgres) -> None:
    """Create an outbox."""
    with server.connect("postgres") as session:
        session.execute(f"CREATE DATABASE {DATABASE}")
    with server.connect(DATABASE) as session:
        session.execute(create_sql())
        for login, role in LOGINS.items():
            session.execute(f"CREATE ROLE {login} LOGIN IN ROLE {role}")


def fill(server: Postgres, lines: list[tuple[str, str]]) -> float:
    """Insert rows. Returns the seconds that it took."""
    with server.connect(DATABASE) as session, session.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy("COPY tidings.outbox (event_type, event) FROM STDIN") as copy:
            for line in lines:
                copy.write_row(line)
        return time.perf_counter() - began


def relay(server: Postgres, cluster: Cluster, batch_rows: int, sessions: int) -> float:
    """Relay all that waits, as `tidings outbox run --sessions` does. Returns the seconds until the last batch was
    recorded."""
    clock = SystemClock()

    def relay_of(connection: Connection) -> Relay:
        return Relay(
            connection,
            judge(),
            lambda name: OnceWriter(cluster, AGENCY, name, clock=clock),
            clock,
            MetricStore(OUTBOX_METRICS),
            RelaySettings(batch_max_rows=batch_rows, until_empty=True),
        )

    def run(going_on: Callable[[], bool]) -> None:
        run_relay(lambda: connect(server.dsn(DATABASE, "relay")), relay_of, clock, going_on)

    settle_memory()  # as `tidings outbox run` does
    began = clock.now_ms() / 1000
    run_together(sessions, run, lambda: True)
    with server.connect(DATABASE) as session:
        [ended] = session.execute(
            "SELECT extract(epoch FROM max(sent_at))::float8 FROM tidings.outbox_batches"
        ).fetchone() or ("nan",)
    return float(str(ended)) - began


def cpu_seconds(pid: int) -> float:
    """What a process, its threads and its children have spent, those that ended too. Source: proc(5), stat."""
    folder = Path(f"/proc/{pid}")
    try:
        fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        children = [
            int(each) for task in (folder / "task").iterdir() for each in (task / "children").read_text().split()
        ]
    except OSError:
        return 0.0  # it ended meanwhile
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + sum(map(cpu_seconds, children))


def main() -> None:
    """Measure once and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rows-before", type=int, default=50_000)
    parser.add_argument("--batch-rows", type=int, default=RelaySettings().batch_max_rows)
    parser.add_argument("--sessions", type=int, default=2)
    chosen = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="tidings-benchmark-"))
    server = Postgres(fsync=True)
    try:
        server.start()
        stack = up(Options(home / "data", registry=False, default_ports=False))
        cluster = stack.cluster
        provide(cluster)
        [broker] = [each.pid for each in stack.state.processes]
        create(server)
        lines = made(chosen.rows_before + chosen.rows)
        fill(server, lines[: chosen.rows_before])
        relay(server, cluster, chosen.batch_rows, chosen.sessions)
        inserted = fill(server, lines[chosen.rows_before :])
        load = os.getloadavg()[0]
        spent = {"postgresql": -cpu_seconds(server.pid), "broker": -cpu_seconds(broker), "relay": -time.process_time()}
        seconds = relay(server, cluster, chosen.batch_rows, chosen.sessions)
        spent["relay"] += time.process_time()
        spent["postgresql"] += cpu_seconds(server.pid)
        spent["broker"] += cpu_seconds(broker)
        written = sum(1 for _ in read_to_end(cluster, "admin", INBOX))
    finally:
        down(home / "data")
        shutil.rmtree(home)
        server.remove()
    told = {
        "rows": chosen.rows,
        "written": written - chosen.rows_before,
        "rows_per_second": round(chosen.rows / seconds),
        "cpu_us_per_row": {part: round(each / chosen.rows * 1e6, 1) for part, each in spent.items()},
        "inserted_rows_per_second": round(chosen.rows / inserted),
        "load_before": round(load, 1),
        "load_after": round(os.getloadavg()[0], 1),
        "processors": os.cpu_count(),
    }
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
