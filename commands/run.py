"""`tidings run exchange`: the exchange's workers, each a process in a slot of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry

from commands._terminal import told_without_values
from stream_processors.host.discover import processor_names
from tidings.deployment import slot_name
from tidings.errors import TidingsError
from tidings.kafka.cluster import Cluster, default_cluster_file
from tidings.kafka.health import LOOPBACK
from tidings.kafka.policy_store import PolicyReader
from tidings.kafka.read import LogReader
from tidings.kafka.supervisor import Supervisor, exit_code
from tidings.kafka.worker import Place, run_worker
from tidings.logs import configure

PRINCIPAL = "exchange"

TargetsOption = Annotated[
    Path | None,
    typer.Option(help="A folder that Prometheus watches (file_sd): say there where metrics are.", show_default=False),
]

HealthHostOption = Annotated[
    str, typer.Option(help="Where health and metrics are served; in a container that is probed from outside: 0.0.0.0.")
]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Run a part of Tidings in the foreground.")


@app.callback()
def run() -> None:
    """Run a part of Tidings in the foreground until it is told to stop (Ctrl-C or SIGTERM drains it)."""


@app.command()
def exchange(
    workers: Annotated[int, typer.Option(min=1, help="How many worker processes; each has a stable slot.")] = 1,
    cluster: Annotated[Path | None, typer.Option(help="The cluster file; else $TIDINGS_CLUSTER.")] = None,
    health_port: Annotated[int, typer.Option(min=0, help="Slot N serves health on this port + N; 0: any free.")] = 0,
    targets: TargetsOption = None,
    first_slot: Annotated[int, typer.Option(min=0, help="The first slot, where several hosts share a deployment.")] = 0,
    slot: Annotated[
        int | None,
        typer.Option(min=0, help="Be one worker, in this slot and this process: for containers.", show_default=False),
    ] = None,
    health_host: HealthHostOption = LOOPBACK,
    parent: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Run the exchange: take events from the inboxes, put views into the feeds, exactly once.

    A worker that was killed, fenced or left without a broker is started again in its slot, after 1 to 60 s; one that
    somebody has to mend something for ends alone. Ends with 0 when every worker drained.
    """
    path = cluster or default_cluster_file()
    configure("supervisor" if slot is None else f"worker-{slot}")
    if slot is not None:
        raise typer.Exit(_work(path, Place(slot, PRINCIPAL, health_port, parent, targets, health_host)))
    codes = Supervisor(
        lambda offset: _command(path, first_slot + offset, health_port, targets, health_host),
        workers,
        tell=typer.echo,
        first_slot=first_slot,
    ).run()
    for number, code in sorted(codes.items()):
        typer.echo(f"worker {first_slot + number}: {'drained' if code == 0 else f'ended with {code}'}")
    raise typer.Exit(exit_code(codes))


@app.command()
def policy(
    cluster: Annotated[Path | None, typer.Option(help="The cluster file; else $TIDINGS_CLUSTER.")] = None,
) -> None:
    """Keep the broker's access rules those of the policy: agreements gain and lose read access on their days."""
    import signal
    import threading

    from commands._context import processor_access
    from tidings.clock import SystemClock
    from tidings.kafka.admin import Admin
    from tidings.kafka.policy_keeper import keep_policy

    where = Cluster.load(cluster or default_cluster_file())
    configure("policy")
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told.set())
    typer.echo("Keeping access as the policy says; Ctrl-C or SIGTERM ends it.")
    keep_policy(where, Admin(where), SystemClock(), lambda: not told.is_set(), processor_access)


@app.command()
def monitor(
    cluster: Annotated[Path | None, typer.Option(help="The cluster file; else $TIDINGS_CLUSTER.")] = None,
    health_port: Annotated[int, typer.Option(min=0, help="Serve health and metrics on this port; 0: any free.")] = 0,
    targets: TargetsOption = None,
    health_host: HealthHostOption = LOOPBACK,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two looks.")] = 5.0,
) -> None:
    """Show as metrics what the broker knows of the exchange: lags of inboxes and feeds in events and seconds, freshness
    of every feed, quarantine, members. Run one of it."""
    import signal
    import threading

    from tidings import metrics
    from tidings.clock import SystemClock
    from tidings.kafka.announce import announced
    from tidings.kafka.health import Health
    from tidings.kafka.monitor import keep_watch
    from tidings.kafka.observe import Observer
    from tidings.metrics import MetricStore
    from tidings.provisioning.access import MONITOR

    where, clock = Cluster.load(cluster or default_cluster_file()), SystemClock()
    configure("monitor")
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told.set())
    registry, store = CollectorRegistry(), MetricStore(metrics.MONITOR_METRICS)
    registry.register(store)
    health = Health(clock, health_port, registry, host=health_host)
    health.start()
    typer.echo(f"Watching; metrics at http://{health_host}:{health.port}/metrics. Ctrl-C or SIGTERM ends it.")
    try:
        with announced(targets, f"monitor-{where.deployment}", health.port), Observer(where, MONITOR) as observer:
            keep_watch(observer, store, health, clock, every, lambda: not told.is_set())
    finally:
        health.stop()


@app.command("correction-window")
def correction_window(
    cluster: Annotated[Path | None, typer.Option(help="The cluster file; else $TIDINGS_CLUSTER.")] = None,
    health_port: Annotated[int, typer.Option(min=0, help="Serve health and metrics on this port; 0: any free.")] = 0,
    targets: TargetsOption = None,
    slot: Annotated[int, typer.Option(min=0, help="Its slot, where several share what is held.")] = 0,
    health_host: HealthHostOption = LOOPBACK,
) -> None:
    """Run the correction window: views that an agreement holds back go to its feed once their hold has passed."""
    from stream_processors.correction_window.on_broker import correction_window_handler
    from tidings.deployment import CORRECTION_WINDOW

    configure(f"{CORRECTION_WINDOW}-{slot}")
    place = Place(slot, CORRECTION_WINDOW, health_port, 0, targets, health_host, CORRECTION_WINDOW)
    registry = CollectorRegistry()
    where = Cluster.load(cluster or default_cluster_file())
    worker = slot_name(where.deployment, slot, CORRECTION_WINDOW)
    with LogReader(where, place.principal) as reader, PolicyReader(where, place.principal) as policies:
        handler = correction_window_handler(worker, reader, policies, registry)
        raise typer.Exit(run_worker(where, place, handler, registry=registry))


def _processor(name: str) -> Callable[..., None]:
    """The verb of one derived processor."""

    def run_it(
        cluster: Annotated[Path | None, typer.Option(help="The cluster file; else $TIDINGS_CLUSTER.")] = None,
        data: Annotated[
            Path | None, typer.Option(help="Where its tables are; else beside the cluster file.", show_default=False)
        ] = None,
        health_port: Annotated[
            int, typer.Option(min=0, help="Serve health and metrics on this port; 0: any free.")
        ] = 0,
        targets: TargetsOption = None,
        tick: Annotated[
            float, typer.Option(min=0.5, help="Seconds without events after which it is told the time.")
        ] = 60.0,
        health_host: HealthHostOption = LOOPBACK,
    ) -> None:
        from commands._processor import run_processor

        run_processor(name, cluster or default_cluster_file(), data, health_port, targets, tick, health_host)

    run_it.__doc__ = f"Run the derived processor {name}: what it reads, writes and keeps is in its file."
    return run_it


for _name in processor_names():
    app.command(_name)(_processor(_name))


def _command(path: Path, slot: int, health_port: int, targets: Path | None, health_host: str) -> list[str]:
    port = health_port + slot if health_port else 0
    announce = [] if targets is None else ["--targets", str(targets)]
    return [
        sys.executable, "-m", "commands.run", "exchange", "--slot", str(slot), "--cluster", str(path),
        "--health-port", str(port), "--health-host", health_host, "--parent", str(os.getpid()), *announce,
    ]  # fmt: skip


def _work(path: Path, place: Place) -> int:
    """One worker in this process. Returns its exit code."""
    from stream_processors.executors import AUTO, PROJECTION_VARIABLE
    from stream_processors.handler import exchange_handler

    registry = CollectorRegistry()
    try:
        cluster = Cluster.load(path)
        with LogReader(cluster, place.principal) as reader, PolicyReader(cluster, place.principal) as policies:
            handler = exchange_handler(
                cluster,
                place.slot,
                worker=slot_name(cluster.deployment, place.slot),
                reader=reader,
                policies=policies,
                registry=registry,
                projection=os.environ.get(PROJECTION_VARIABLE, AUTO),
            )
            return run_worker(
                cluster, place, handler, registry=registry, about=lambda: {"projection": handler.executors()}
            )
    except TidingsError as failure:
        typer.echo(f"{failure}\nWhat to do: {failure.action}.", err=True)
        return failure.exit_code


if __name__ == "__main__":
    with told_without_values():
        app()
