"""A worker of the exchange as it is shipped: its handler, its loop, its metrics and health endpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry

from benchmarks.broker import ADMIN, load_cluster
from benchmarks.task import Task
from stream_processors.handler import exchange_handler
from tidings.deployment import slot_name
from tidings.kafka.policy_store import PolicyReader
from tidings.kafka.read import LogReader
from tidings.kafka.settings import LoopSettings
from tidings.kafka.worker import Place, run_worker
from tidings.logs import configure


def run_exchange(task: Task, executor: str) -> int:
    """One worker over `task` with one executor of the projection, until SIGTERM. Returns the exit code."""
    cluster = load_cluster(Path(task.cluster_file), task.transport, task.deployment)
    place = Place(task.slot, ADMIN)
    configure("exchange")
    settings = LoopSettings()
    if task.shared_max_events:
        settings = replace(settings, shared_max_events=task.shared_max_events)
    registry = CollectorRegistry()
    with LogReader(cluster, place.principal) as reader, PolicyReader(cluster, place.principal) as policies:
        handler = exchange_handler(
            cluster,
            place.slot,
            worker=slot_name(cluster.deployment, place.slot),
            reader=reader,
            policies=policies,
            registry=registry,
            projection=executor,
        )
        return run_worker(cluster, place, handler, settings, registry=registry)
