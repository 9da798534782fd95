"""Apicurio Registry on loopback, its schemas in Kafka, and the gate in front of it.

It takes some 20 s to start, so `start` only starts it; `wait` waits until it answers and enforces compatibility, which
it does only after `PUT /config`. It signs in to Kafka as `registry`, with rights to its own topics and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.local.artifacts import REGISTRY_APP, Progress, cache_dir, fetch, read_lock
from deploy.local.broker import properties
from deploy.local.certificates import Certificates
from deploy.local.files import private_dir, trusted, write_private
from deploy.local.java import environment, java_binary
from deploy.local.ports import HOST
from deploy.local.processes import Process, check_alive, spawn
from deploy.local.state import State
from tidings.acl import Acl, Operation, Pattern, Resource
from tidings.clock import Clock, Deadline, SystemClock
from tidings.errors import Retriable
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster
from tidings.kafka.registry import FULL_TRANSITIVE, Registry

PORT = 8080
MANAGEMENT_PORT = 9000
GATE_PORT = 8443
GATE_FILE = "gate.json"
_PREFIX = "kafkasql-"
_START_SECONDS = 180.0
_POLL_SECONDS = 0.2
_JVM = ("-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.awt.headless=true")
_ROOT = Path(__file__).resolve().parents[2]

ACLS = (
    Acl("registry", Operation.ALL, Resource.TOPIC, _PREFIX, Pattern.PREFIXED),
    Acl("registry", Operation.ALL, Resource.GROUP, _PREFIX, Pattern.PREFIXED),
    Acl("registry", Operation.IDEMPOTENT_WRITE, Resource.CLUSTER, "kafka-cluster"),
)


def start(
    data: Path, state: State, cluster: Cluster, admin: Admin, tls: Certificates, progress: Progress | None
) -> Iterator[Process]:
    """Start registry and gate, yielding each as soon as it runs. Neither answers yet: see `wait`."""
    admin.create_acls(ACLS)
    home = private_dir(data / "registry")
    unpacked = _unpack(progress)
    settings = write_private(home / "application.properties", _settings(state, cluster))
    yield spawn(
        "registry",
        [
            java_binary(),
            *_JVM,
            f"-Dquarkus.config.locations={settings}",
            *("-jar", str(unpacked / "quarkus-run.jar")),
        ],
        data / "logs" / "registry.log",
        cwd=home,
        env=environment(),
    )
    gate_settings = {
        "port": state.gate_port,
        "certificate": str(tls.gate),
        "credentials_dir": str(cluster.credentials_dir),
        "registry_url": f"http://{HOST}:{state.registry_port}",
    }
    write_private(home / GATE_FILE, json.dumps(gate_settings, indent=1) + "\n")
    yield start_gate(data)


def start_gate(data: Path, checkout: Path = _ROOT) -> Process:
    """Start the gate of a data folder, by its settings there, with the code of `checkout`."""
    home = data / "registry"
    path = os.pathsep.join([str(checkout), *filter(None, [os.environ.get("PYTHONPATH")])])
    return spawn(
        "registry-gate",
        [sys.executable, "-m", "deploy.local.registry_gate", str(home / GATE_FILE)],
        data / "logs" / "registry-gate.log",
        cwd=home,
        env=environment() | {"PYTHONPATH": path},
    )


def wait(
    cluster: Cluster, processes: Sequence[Process], progress: Progress | None = None, clock: Clock | None = None
) -> None:
    """Return once the registry answers through its gate and enforces compatibility.

    Raises Fatal where either ended, Retriable where they do not answer in time.
    """
    clock = clock or SystemClock()
    ours = [each for each in processes if each.name.startswith("registry")]
    deadline = Deadline(clock, _START_SECONDS)
    with Registry(cluster, "registry") as registry:
        while True:
            for process in ours:
                check_alive(process)
            try:
                if registry.compatibility() != FULL_TRANSITIVE:
                    registry.set_compatibility(FULL_TRANSITIVE)
            except Retriable:
                if deadline.expired():
                    logs = ", ".join(each.log for each in ours)
                    raise Retriable(f"the registry did not answer in {_START_SECONDS:.0f} s; see {logs}") from None
            else:
                break
            if progress:
                progress("Starting the registry", 0, 1)
            clock.sleep(_POLL_SECONDS)
    if progress:
        progress("Starting the registry", 1, 1)


def _unpack(progress: Progress | None) -> Path:
    """The registry's files, unpacked once a version into the cache, whole or not at all."""
    app = next(each for each in read_lock() if each.name == REGISTRY_APP)
    target = cache_dir() / f"{app.name}-{app.version}-{app.sha256[:12]}"
    archive = fetch([app], progress)[app]
    if not target.exists():
        staging = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=target.parent))
        try:
            with tarfile.open(archive) as tar:
                if hasattr(tarfile, "data_filter"):
                    tar.extractall(staging, filter="data")
                else:  # Python before 3.11.4, as Debian 12 has it, knows no filters; the archive is the one we pinned
                    tar.extractall(staging)  # noqa: S202
            staging.rename(target)
        except FileExistsError:  # another process was faster
            pass
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return trusted(target)


def registry_settings(
    bootstrap_servers: str,
    ca_file: Path,
    password: str,
    *,
    host: str = HOST,
    port: int = PORT,
    management_host: str = HOST,
    management_port: int = MANAGEMENT_PORT,
) -> dict[str, object]:
    """What Apicurio Registry is told, by its own names. The password of `registry` is in it.

    `host` is where its open API listens: loopback, or a network on which nobody is but the gate and the brokers.
    """
    login = (
        f'org.apache.kafka.common.security.scram.ScramLoginModule required username="registry" password="{password}";'
    )
    return {
        "quarkus.http.host": host,
        "quarkus.http.port": port,
        "quarkus.management.host": management_host,
        "quarkus.management.port": management_port,
        "quarkus.log.level": "WARN",
        "quarkus.log.console.level": "WARN",
        "quarkus.banner.enabled": "false",
        "apicurio.storage.kind": "kafkasql",
        "apicurio.kafkasql.bootstrap.servers": bootstrap_servers,
        "apicurio.kafkasql.topic": f"{_PREFIX}journal",
        "apicurio.kafkasql.snapshots.topic": f"{_PREFIX}snapshots",
        "apicurio.events.kafka.topic": f"{_PREFIX}events",
        "apicurio.kafkasql.consumer.group-prefix": _PREFIX,
        "apicurio.kafkasql.consumer.poll.timeout": 50,
        "apicurio.kafka.common.bootstrap.servers": bootstrap_servers,
        "apicurio.kafka.common.security.protocol": "SASL_SSL",
        "apicurio.kafka.common.sasl.mechanism": "SCRAM-SHA-512",
        "apicurio.kafka.common.sasl.jaas.config": login,
        "apicurio.kafka.common.ssl.truststore.type": "PEM",
        "apicurio.kafka.common.ssl.truststore.location": ca_file,
    }


def _settings(state: State, cluster: Cluster) -> str:
    return properties(
        registry_settings(
            cluster.bootstrap_servers,
            cluster.ca_file,
            cluster.password("registry"),
            port=state.registry_port,
            management_port=state.registry_management_port,
        )
    )
