"""One worker's process: its slot's clients, its loop, its health endpoint; SIGTERM and SIGINT drain it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from confluent_kafka import Consumer, Producer
from prometheus_client import REGISTRY, CollectorRegistry

from tidings.clock import Clock, SystemClock
from tidings.deployment import EXCHANGE, slot_name
from tidings.errors import TidingsError
from tidings.kafka.announce import announced
from tidings.kafka.clients import (
    ClientSettings,
    consumer_config,
    open_consumer,
    open_producer,
    producer_config,
)
from tidings.kafka.group_protocol import Connector
from tidings.kafka.health import LOOPBACK, About, Health
from tidings.kafka.loop import Loop
from tidings.kafka.settings import GroupProtocol, LoopSettings
from tidings.kafka.snapshot import Snapshot
from tidings.kafka.traces import step_traces
from tidings.kafka.worker_metrics import WorkerMetrics
from tidings.log import Handler
from tidings.settle_memory import settle_memory

_log = structlog.get_logger(__name__)

Observer = Callable[[Snapshot], None]


@dataclass(frozen=True)
class Place:
    """Where one worker runs: its slot of the deployment, its principal, its health port (0: any free one).

    `part` is what it is a worker of (`tidings.deployment`): the slots and the group of each have names of their own.

    `parent` is the process id of the supervisor: the worker drains when it is gone. 0 means that there is none.
    `targets` is where to say at which port metrics are served (`tidings.kafka.announce`); None: nowhere.
    `health_host` is where health and metrics are served: loopback, or every address of a container (`0.0.0.0`).
    """

    slot: int
    principal: str = "exchange"
    health_port: int = 0
    parent: int = 0
    targets: Path | None = None
    health_host: str = LOOPBACK
    part: str = EXCHANGE


def run_worker(
    cluster: ClientSettings,
    place: Place,
    handler: Handler,
    settings: LoopSettings | None = None,
    *,
    clock: Clock | None = None,
    registry: CollectorRegistry = REGISTRY,
    observer: Observer = lambda _snapshot: None,
    probe: Callable[[str], None] = lambda _step: None,
    about: About = dict,
) -> int:
    """Run `handler` in this process until SIGTERM or SIGINT, or until it has to stop. Returns the exit code.

    A signal lets the open transaction finish and leaves the group; the records held are left for the successor.
    `about` says what else its health tells. `probe` is for tests; traces take its place where they are asked for
    (`tidings.kafka.traces`). A fenced worker ends with Retriable's code: it may take its slot back.
    """
    settings = settings or LoopSettings()
    clock = clock or SystemClock()
    health = Health(clock, place.health_port, registry, about, place.health_host)
    registry.register(WorkerMetrics(health))

    def observe(snapshot: Snapshot) -> None:
        health.observe(snapshot)
        observer(snapshot)
        if traces is not None:
            traces.observe(snapshot)
        if place.parent and os.getppid() != place.parent:
            loop.stop()

    def connect(protocol: GroupProtocol) -> Consumer:
        chosen = replace(settings, group_protocol=protocol)
        return open_consumer(consumer_config(cluster, place.principal, place.slot, chosen, place.part))

    def produce() -> Producer:
        return open_producer(producer_config(cluster, place.principal, place.slot, settings, place.part))

    connector = Connector(connect, settings.group_protocol)
    name = slot_name(cluster.deployment, place.slot, place.part)
    with step_traces(place.part, name) as traces:
        loop = Loop(
            connector,
            produce(),
            handler,
            settings,
            clock=clock,
            observer=observe,
            probe=probe if traces is None else traces.probe,
            fall_back=connector.fall_back,
            reopen=produce,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: loop.stop())
        return _run(loop, health, place, name)


def _run(loop: Loop, health: Health, place: Place, name: str) -> int:
    settle_memory()
    health.start()
    _log.info("worker started", slot=place.slot, health_port=health.port)
    try:
        with announced(place.targets, name, health.port):
            loop.run()
    except TidingsError as failure:
        _log.error("worker stopped", slot=place.slot, error=type(failure).__name__, why=str(failure))
        return failure.exit_code
    finally:
        health.stop()
    _log.info("worker drained", slot=place.slot)
    return 0
