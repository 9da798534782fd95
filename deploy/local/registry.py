"""Apicurio Registry behind its gate (to come in full)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.local.artifacts import Progress
from deploy.local.certificates import Certificates
from deploy.local.processes import Process
from deploy.local.state import State
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster

PORT = 8080
MANAGEMENT_PORT = 9000
GATE_PORT = 8443


def start(
    data: Path, state: State, cluster: Cluster, admin: Admin, tls: Certificates, progress: Progress | None
) -> Iterator[Process]:
    """Start."""
    raise NotImplementedError


def wait(cluster: Cluster, processes: Sequence[Process], progress: Progress | None = None) -> None:
    """Wait."""
    raise NotImplementedError
