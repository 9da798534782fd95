"""One broker of the local stack with a second listener: TLS and SCRAM as ever, and beside it one without either.

The plain listener is for measuring only, on loopback, for as long as the measurement runs: whoever comes through it is
a super user. Nothing of the product knows of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from deploy.local import broker as node_of
from deploy.local.broker import Node
from deploy.local.certificates import certificates
from deploy.local.files import make_password, private_dir, write_private
from deploy.local.java import kafka_jars
from deploy.local.ports import HOST, choose
from deploy.local.processes import Process, check_alive, stop
from tidings.clock import Clock, Deadline, SystemClock
from tidings.errors import Retriable
from tidings.kafka.admin import Admin
from tidings.kafka.client_log import CLIENT_LOGGER
from tidings.kafka.cluster import ClientConfig, Cluster
from tidings.keys import ROOT_BYTES

ADMIN = "admin"
PLAIN, TLS = "plain", "tls"
TRANSPORTS = (PLAIN, TLS)
_START_S, _STOP_S = 180.0, 30.0


class PlainCluster(Cluster):
    """The same cluster through the listener without TLS and credentials."""

    def client_config(self, principal: str) -> ClientConfig:
        """See `Cluster.client_config`."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "client.id": f"tidings-{principal}",
            "logger": CLIENT_LOGGER,
        }


def load_cluster(path: Path, transport: str, deployment: str = "main") -> Cluster:
    """The cluster of a file that `broker` wrote, by one of `TRANSPORTS`."""
    cluster = (PlainCluster if transport == PLAIN else Cluster).load(path)
    cluster.deployment = deployment
    return cluster


@dataclass(frozen=True, slots=True)
class Broker:
    """What runs: its process and a cluster file for each transport."""

    process: Process
    files: dict[str, Path]

    def cluster(self, transport: str, deployment: str = "main") -> Cluster:
        """How clients of `deployment` reach it."""
        return load_cluster(self.files[transport], transport, deployment)


@contextmanager
def broker(home: Path, *, short_lived: bool = False, clock: Clock | None = None) -> Iterator[Broker]:
    """Bring a broker up below `home` on free ports, and stop it at the end. `short_lived` starts faster and is slower
    later, for a smoke test. Raises as `deploy.local.stack.up`."""
    clock = clock or SystemClock()
    jars = kafka_jars()
    tls = certificates(private_dir(home) / "tls", clock)
    credentials = private_dir(home / "credentials")
    password = make_password(credentials / f"{ADMIN}.password")
    private_dir(home / "keys")
    write_private(home / "keys" / "root.key", token_hex(ROOT_BYTES) + "\n")
    client, controller, plain = choose([None, None, None])
    node = Node(1, client, controller, node_of.new_id())
    settings = node_of.write_settings(home, node, (node,), tls, password)
    write_private(settings, settings.read_text() + _plain_listener(node, plain))
    node_of.format_storage(jars, settings, node, (node,), node_of.new_id(), password)
    process = node_of.start(jars, settings, node, private_dir(home / "logs"), short_lived=short_lived)
    try:
        made = Broker(process, {PLAIN: _cluster_file(home, PLAIN, plain), TLS: _cluster_file(home, TLS, client)})
        _wait(made, clock)
        yield made
    finally:
        stop([process], _STOP_S, clock)


def _plain_listener(node: Node, port: int) -> str:
    """Settings in place of those before them: of a key that stands twice, Java takes the last."""
    where = f"CLIENT://{HOST}:{node.client_port},CONTROLLER://{HOST}:{node.controller_port},PLAIN://{HOST}:{port}"
    settings = {
        "listeners": where,
        "advertised.listeners": where,
        "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:SASL_SSL,PLAIN:PLAINTEXT",
        "super.users": "User:admin;User:ANONYMOUS",
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _cluster_file(home: Path, name: str, port: int) -> Path:
    content = {
        "bootstrap_servers": f"{HOST}:{port}",
        "ca_file": "tls/ca.pem",
        "credentials_dir": "credentials",
        "keys_file": "keys/root.key",
        "environment": "SYNTHETIC",
        "replication_factor": 1,
    }
    return write_private(home / f"{name}.json", json.dumps(content))


def _wait(made: Broker, clock: Clock) -> None:
    deadline = Deadline(clock, _START_S)
    while True:
        check_alive(made.process)
        try:
            return Admin(made.cluster(PLAIN), deadline_seconds=2.0, clock=clock).wait_for_brokers(1)
        except Retriable:
            if deadline.expired():
                raise
