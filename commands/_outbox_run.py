"""The relays of one process: their clients, their metrics, their end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import typer
from prometheus_client import CollectorRegistry

from producers.outbox.database import Connection, connect
from producers.outbox.judge import Judge
from producers.outbox.metrics import OUTBOX_METRICS, HeldSlots
from producers.outbox.relay import Relay, RelaySettings
from producers.outbox.run_relay import WRITER_SETTINGS, run_relay, run_together
from producers.publisher import EventPublisher
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.clock import Clock, SystemClock
from tidings.kafka.announce import announced
from tidings.kafka.cluster import Cluster
from tidings.kafka.health import Health
from tidings.kafka.snapshot import Snapshot, State
from tidings.kafka.write_once import OnceWriter
from tidings.logs import configure
from tidings.metrics import MetricStore
from tidings.settle_memory import settle_memory


def run_outbox(
    cluster: Cluster,
    agency: str,
    database: str,
    health_port: int,
    targets: Path | None,
    *,
    sessions: int,
    until_empty: bool,
) -> None:
    """Relay in so many `sessions` until SIGTERM or SIGINT, or where `until_empty` until no row waits. Raises as
    `run_relay`."""
    configure(f"outbox-{agency}")
    cluster.password(agency)  # says so where there is no such agency, before anything is opened
    clock, catalogue = SystemClock(), load_catalogue(default_catalogue_dir())
    registry, store = CollectorRegistry(), MetricStore(OUTBOX_METRICS)
    registry.register(store)
    held = HeldSlots(store)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told.set())

    def writer(name: str) -> OnceWriter:
        return OnceWriter(cluster, agency, name, clock=clock, settings=WRITER_SETTINGS)

    def relay(connection: Connection) -> Relay:
        publisher = EventPublisher(cluster, agency, catalogue=catalogue, clock=clock, sender=_NotSent())
        judge = Judge(publisher, catalogue, agency, cluster.environment, clock)
        return Relay(connection, judge, writer, clock, store, RelaySettings(until_empty=until_empty), held=held)

    def run(going_on: Callable[[], bool]) -> None:
        run_relay(lambda: connect(database), relay, clock, going_on)

    health = Health(clock, health_port, registry)
    health.start()
    typer.echo(f"Relaying; metrics at http://127.0.0.1:{health.port}/metrics. Ctrl-C or SIGTERM ends it.")
    settle_memory()
    try:
        with announced(targets, f"outbox-{agency}-{health.port}", health.port):
            run_together(sessions, run, asked(told, held, health, clock))
    finally:
        health.stop()
    typer.echo("Drained.")


def asked(told: threading.Event, held: HeldSlots, health: Health, clock: Clock) -> Callable[[], bool]:
    """Whether to go on. Relays ask at each turn and each try to connect, so health hears of them here."""

    def going_on() -> bool:
        health.observe(Snapshot(State.RUNNING, clock.monotonic(), assigned=held.at_work()))
        return not told.is_set()

    return going_on


class _NotSent:
    """The publisher checks and encodes; what is sent goes through the slots' writers."""

    def send(self, *_arguments: object) -> None:
        """See `Sender.send`."""
        raise NotImplementedError

    def flush(self) -> None:
        """See `Sender.flush`."""
