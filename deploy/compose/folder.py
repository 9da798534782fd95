"""Makes the folder that `compose.yaml` mounts: certificates, passwords, keys, and settings in which passwords stand.

Everything is 0600 in folders of 0700: the containers run as the user who made it. Nothing is made twice: what is there
stays, so that a second call changes no password.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.broker import (
    SERVER,
    STORAGE_TOOL,
    Node,
    format_arguments,
    log_settings,
    new_id,
    node_settings,
    properties,
)
from deploy.local.certificates import Certificates, certificates
from deploy.local.files import make_password, private_dir, write_private
from deploy.local.java import argument_file
from deploy.local.registry import GATE_PORT, PORT, registry_settings
from deploy.prometheus.files import COMPOSE_PROCESSORS
from tidings.clock import Clock
from tidings.deployment import CORRECTION_WINDOW
from tidings.errors import Fatal
from tidings.keys import ROOT_BYTES
from tidings.provisioning.processors import principal_of

PRINCIPALS = ("admin", "exchange", "monitor", "registry")
DERIVED = (CORRECTION_WINDOW, *map(principal_of, COMPOSE_PROCESSORS))
"""Whom `tidings apply` makes known to the brokers: their services' passwords stand here before."""
BROKERS = tuple(Node(number, 9091 + number, 9191 + number, "", f"kafka-{number}") for number in (1, 2, 3))
GATE = "registry-gate"
MOUNTED = Path("/run/tidings")
"""Where a container finds what it is given of the folder."""
BROKER_DATA = Path("/var/lib/kafka/data")
BROKER_JARS = "/opt/kafka/libs/*"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - a container's own network, on which only gate, registry and brokers are
_JVM = ("-Xms512m", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true")
_MARK = "compose.json"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are as the containers see them; a test lays them out on its own machine."""

    mounted: Path = MOUNTED
    broker_data: Path = BROKER_DATA
    broker_jars: str = BROKER_JARS


def make_folder(
    folder: Path, environment: str, clock: Clock, *, brokers: Sequence[Node] = BROKERS, layout: Layout | None = None
) -> Path:
    """Make `folder`, or complete it. Returns it.

    Raises Fatal where it is open to others, or was made for another environment: a live exchange's keys never meet
    synthetic events.
    """
    layout = layout or Layout()
    folder = private_dir(folder.resolve())
    cluster_id, nodes = _remembered(folder, environment, brokers)
    certificates(folder / "tls", clock, [node.host for node in nodes], [GATE])
    credentials = private_dir(folder / "credentials")
    passwords = {each: make_password(credentials / f"{each}.password") for each in (*PRINCIPALS, *DERIVED)}
    make_password(private_dir(folder / "grafana") / "admin.password")
    root_key = private_dir(folder / "keys") / "root.key"
    if not root_key.exists():
        write_private(root_key, secrets.token_hex(ROOT_BYTES) + "\n")
    for node in nodes:
        _broker(folder, node, nodes, cluster_id, passwords["admin"], layout)
    bootstrap = ",".join(f"{each.host}:{each.client_port}" for each in nodes)
    _registry(folder, bootstrap, passwords["registry"], layout)
    _cluster(folder, bootstrap, environment, len(nodes))
    kept = ["prometheus/data", "grafana/data", "alertmanager/data"]
    for name in (*kept, *(f"processors/{each}" for each in COMPOSE_PROCESSORS)):
        private_dir(folder / name)
    return folder


def _remembered(folder: Path, environment: str, brokers: Sequence[Node]) -> tuple[str, list[Node]]:
    """The cluster's id and the brokers with the ids of their logs, the same at every call."""
    mark = folder / _MARK
    if not mark.exists():
        content = {
            "environment": environment,
            "cluster_id": new_id(),
            "directory_ids": {each.host: new_id() for each in brokers},
        }
        write_private(mark, json.dumps(content, indent=1) + "\n")
    found = json.loads(mark.read_bytes())
    if found["environment"] != environment:
        raise Fatal(f"{folder} was made for {found['environment']}; name another folder")
    ids = found["directory_ids"]
    nodes = [Node(each.number, each.client_port, each.controller_port, ids[each.host], each.host) for each in brokers]
    return found["cluster_id"], nodes


def _broker(folder: Path, node: Node, nodes: Sequence[Node], cluster_id: str, password: str, layout: Layout) -> None:
    home = private_dir(folder / "brokers" / node.host)
    private_dir(home / "data")
    inside = layout.mounted
    tls = Certificates(inside / "ca.pem", inside / "broker.pem", inside / "gate.pem")
    settings = inside / "server.properties"
    write_private(home / "log4j2.properties", log_settings())
    write_private(home / "server.properties", properties(node_settings(layout.broker_data, node, nodes, tls, password)))
    start = ["-cp", layout.broker_jars, f"-Dlog4j2.configurationFile={inside / 'log4j2.properties'}"]
    tool = format_arguments(settings, nodes, cluster_id, password)
    write_private(home / "format.args", argument_file([*start, STORAGE_TOOL, *tool]))
    write_private(home / "start.args", argument_file([*_JVM, *start, SERVER, str(settings)]))


def _registry(folder: Path, bootstrap: str, password: str, layout: Layout) -> None:
    home, inside = private_dir(folder / "registry"), layout.mounted
    settings = registry_settings(bootstrap, inside / "ca.pem", password, host=_EVERYWHERE, management_host=_EVERYWHERE)
    write_private(home / "application.properties", properties(settings))
    gate = {
        "host": _EVERYWHERE,
        "port": GATE_PORT,
        "certificate": str(inside / "gate.pem"),
        "credentials_dir": str(inside / "credentials"),
        "registry_url": f"http://registry:{PORT}",
    }
    write_private(home / "gate.json", json.dumps(gate, indent=1) + "\n")


def _cluster(folder: Path, bootstrap: str, environment: str, brokers: int) -> None:
    content = {
        "bootstrap_servers": bootstrap,
        "ca_file": "ca.pem",
        "registry_url": f"https://{GATE}:{GATE_PORT}",
        "credentials_dir": "credentials",
        "keys_file": "root.key",
        "environment": environment,
        "replication_factor": brokers,
        "deployment": "main",
    }
    write_private(folder / "cluster.json", json.dumps(content, indent=1) + "\n")
