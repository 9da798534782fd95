"""`tidings run NAME`: one derived processor in the foreground, with its own credentials, health and metrics."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import structlog
import typer
from prometheus_client import CollectorRegistry

from stream_processors.host.declaration import Processor, Schema
from stream_processors.host.discover import load_processor
from stream_processors.host.needs import needs_of
from stream_processors.host.on_faust.connection import Connection
from stream_processors.host.on_faust.host import Host
from stream_processors.host.pipeline import Pipeline
from tidings import metrics
from tidings.clock import Clock, SystemClock
from tidings.closing import Closing
from tidings.errors import TidingsError
from tidings.kafka.announce import announced
from tidings.kafka.cluster import Cluster
from tidings.kafka.health import LOOPBACK, Health
from tidings.kafka.policy_store import PolicyReader
from tidings.kafka.registry import Registry
from tidings.kafka.snapshot import Snapshot, State
from tidings.logs import configure
from tidings.metrics import MetricStore
from tidings.policy.model import Policy
from tidings.provisioning.processors import principal_of

_log = structlog.get_logger(__name__)

POLICY_EVERY_S = 5.0


def run_processor(
    name: str,
    cluster_file: Path,
    data: Path | None,
    health_port: int,
    targets: Path | None,
    tick_s: float,
    health_host: str = LOOPBACK,
) -> None:
    """Run the processor until SIGTERM or SIGINT. Raises Fatal where it cannot go on, Retriable where the broker did not
    take what it sent: what was not done comes again at the next start."""
    processor, cluster, clock = load_processor(name), Cluster.load(cluster_file), SystemClock()
    principal = principal_of(name)
    configure(principal)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told.set())
    registry, store = CollectorRegistry(), MetricStore(metrics.PROCESSOR_METRICS)
    registry.register(store)
    health = Health(clock, health_port, registry, host=health_host)
    health.start()
    folder = data or cluster_file.resolve().parent / "processors" / name
    connection = Connection(cluster.bootstrap_servers, cluster.ca_file, principal, cluster.password(principal), folder)
    typer.echo(f"{name} runs; metrics at http://{health_host}:{health.port}/metrics. Ctrl-C or SIGTERM ends it.")
    try:
        with (
            announced(targets, f"{principal}-{cluster.deployment}", health.port),
            PolicyReader(cluster, principal) as policies,
            _Schemas(cluster, principal) as schemas,
        ):
            policy = policies.load()
            while not told.is_set():
                pipeline = Pipeline(processor, policy, schemas.schema, clock, store, principal)
                changed = _Changed(processor, policy, policies.newer, clock)
                host = Host(
                    pipeline, connection, clock, store,
                    beat=_beat(health, clock),
                    going_on=lambda changed=changed: not told.is_set() and not changed(),  # type: ignore[misc]
                    tick_s=tick_s,
                )  # fmt: skip
                _run(host)
                policy = changed.policy
    finally:
        health.observe(Snapshot(State.STOPPED, clock.monotonic()))
        health.stop()
    _log.info("processor drained")


def _run(host: Host) -> None:
    """Run the host. Where it fails, this process ends at once: tasks and threads of the client may wait for a broker
    for ever, and `asyncio.run` for them."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(host.run())
    except TidingsError as failure:
        _log.error("processor stopped", error=type(failure).__name__, why=str(failure))
        typer.echo(f"{failure}\nWhat to do: {failure.action}.", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(failure.exit_code)
    loop.close()


class _Changed:
    """Whether the policy now gives the processor other topics or schemas: it then starts anew with it."""

    def __init__(self, processor: Processor, policy: Policy, newer: Callable[[], Policy | None], clock: Clock) -> None:
        self.policy = policy
        self._processor = processor
        self._newer = newer
        self._clock = clock
        self._due = 0.0

    def __call__(self) -> bool:
        if self._clock.monotonic() < self._due:
            return False
        self._due = self._clock.monotonic() + POLICY_EVERY_S
        newer = self._newer()
        if newer is None:
            return False
        differs = self._seen(newer) != self._seen(self.policy)
        self.policy = newer
        if differs:
            _log.info("policy taken up", policy_version=newer.version)
        return differs

    def _seen(self, policy: Policy) -> object:
        needs = needs_of(self._processor, policy)
        version = policy.version if self._processor.enrol is not None else 0
        return needs, version, [policy.system_schema_ids.get(topic) for topic, _ in needs.schemas]


class _Schemas(Closing):
    """The registry, asked only where the policy does not hold a schema."""

    def __init__(self, cluster: Cluster, principal: str) -> None:
        self._cluster = cluster
        self._principal = principal
        self._registry: Registry | None = None

    def close(self) -> None:
        """Let the connections go."""
        if self._registry is not None:
            self._registry.close()

    def schema(self, schema_id: int) -> Schema:
        """See `Registry.schema`."""
        self._registry = self._registry or Registry(self._cluster, self._principal)
        return self._registry.schema(schema_id)


def _beat(health: Health, clock: Clock) -> Callable[[bool], None]:
    def beat(assigned: bool) -> None:
        health.observe(Snapshot(State.RUNNING, clock.monotonic(), assigned=assigned))

    return beat
