"""The Kafka brokers of the local stack: KRaft in combined mode, one or three, TLS and SASL on every listener.

A broker's settings hold the admin's password (brokers speak to each other with it), so they are 0600 like it. The
password reaches StorageTool through an argument file (see `java.run_tool`), never a command line. Its derived form
(`saltedpassword=`) would not do instead: SCRAM accepts whoever knows that. Source: RFC 5802, section 3.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.certificates import Certificates
from deploy.local.files import private_dir, write_private
from deploy.local.java import environment, java_binary, run_tool
from deploy.local.ports import HOST
from deploy.local.processes import Process, spawn
from deploy.settings import SUPER_USER, broker_settings
from tidings.errors import Fatal

CLIENT_PORT = 9092
CONTROLLER_PORT = 9192
STORAGE_TOOL = "kafka.tools.StorageTool"
SERVER = "kafka.Kafka"
_SCRAM_ITERATIONS = 4096
_JVM = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)
# Half the processor time to the first answer. Never for a broker that something is measured against.
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1",)

_LOGGING = """\
status = warn
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n%throwable{short}
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One broker's number (from 1), its two ports, the id of its log folder, and the host under which others know it.

    On `HOST` it listens on loopback alone; under another name, on every address of its machine or container.
    """

    number: int
    client_port: int
    controller_port: int
    directory_id: str
    host: str = HOST

    @property
    def bound_to(self) -> str:
        """Where it listens."""
        return HOST if self.host == HOST else ""


def new_id() -> str:
    """A random id as Kafka writes them: 16 bytes in URL-safe base64 without padding, never with a leading hyphen."""
    while True:
        text = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
        if not text.startswith("-"):
            return text


def write_settings(home: Path, node: Node, nodes: Sequence[Node], tls: Certificates, password: str) -> Path:
    """Write one node's server settings and logging (0600) below `home` and return the former's path."""
    folder = private_dir(home / "brokers" / str(node.number))
    write_private(folder / "log4j2.properties", _LOGGING)
    return write_private(
        folder / "server.properties", properties(node_settings(folder / "data", node, nodes, tls, password) | _LAPTOP)
    )


def properties(settings: Mapping[str, object]) -> str:
    """Settings as Java's properties files have them."""
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def log_settings() -> str:
    """What a broker's log4j2.properties holds: its output goes to the console."""
    return _LOGGING


def format_arguments(settings: Path, nodes: Sequence[Node], cluster_id: str, password: str) -> list[str]:
    """What StorageTool is told, to make a node's empty log with the admin's credential in it. A password is in it."""
    voters = ",".join(f"{each.number}@{each.host}:{each.controller_port}:{each.directory_id}" for each in nodes)
    return [
        *("format", "--cluster-id", cluster_id, "--config", str(settings)),
        *("--initial-controllers", voters),
        *("--add-scram", f"SCRAM-SHA-512=[name={SUPER_USER},iterations={_SCRAM_ITERATIONS},password={password}]"),
    ]


def format_storage(
    jars: Sequence[Path], settings: Path, node: Node, nodes: Sequence[Node], cluster_id: str, password: str
) -> None:
    """Make one node's empty log, with the admin's credential in it. Nothing is done where it is made already."""
    if (settings.parent / "data" / "meta.properties").exists():
        return
    run_tool(
        jars,
        STORAGE_TOOL,
        format_arguments(settings, nodes, cluster_id, password),
        folder=settings.parent,
        system={"log4j2.configurationFile": str(settings.parent / "log4j2.properties")},
    )
    if not (settings.parent / "data" / "meta.properties").exists():
        raise Fatal(f"broker {node.number}: StorageTool left no storage")


def start(jars: Sequence[Path], settings: Path, node: Node, logs: Path, *, short_lived: bool = False) -> Process:
    """Start one node; it listens a few seconds later. Its output goes to `logs`. `short_lived` does without the JVM's
    second compiler."""
    return spawn(
        f"broker-{node.number}",
        [
            java_binary(),
            *_JVM,
            *(_SHORT_LIVED if short_lived else ()),
            f"-Dlog4j2.configurationFile={settings.parent / 'log4j2.properties'}",
            *("-cp", os.pathsep.join(map(str, jars))),
            *(SERVER, str(settings)),
        ],
        logs / f"broker-{node.number}.log",
        cwd=settings.parent,
        env=environment(),
    )


def node_settings(
    data: Path, node: Node, nodes: Sequence[Node], tls: Certificates, password: str
) -> dict[str, str | int | Path]:
    """Everything that one node is told: who it is, how it is reached and by whom, and the table of `deploy.settings`.

    `data` is its log's folder, as it sees it. The admin's password is in it.
    """
    login = f'username="{SUPER_USER}" password="{password}"'
    scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};"
    # SCRAM credentials live in the metadata, which several voters can only agree on once they are signed in to each
    # other: tried, and refused for ever. So a quorum of three signs in with PLAIN, inside TLS, to one fixed account.
    mechanism = "SCRAM-SHA-512" if len(nodes) == 1 else "PLAIN"
    account = f'user_{SUPER_USER}="{password}"'
    plain = f"org.apache.kafka.common.security.plain.PlainLoginModule required {login} {account};"

    def listeners(host: str) -> str:
        return f"CLIENT://{host}:{node.client_port},CONTROLLER://{host}:{node.controller_port}"

    return {
        # Who it is and where it listens: TLS and SCRAM on both listeners.
        "process.roles": "broker,controller",
        "node.id": node.number,
        "listeners": listeners(node.bound_to),
        "advertised.listeners": listeners(node.host),
        "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:SASL_SSL",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": ",".join(f"{each.host}:{each.controller_port}" for each in nodes),
        "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.controller.sasl.enabled.mechanisms": mechanism,
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "sasl.mechanism.controller.protocol": mechanism,
        "listener.name.client.scram-sha-512.sasl.jaas.config": scram,
        f"listener.name.controller.{mechanism.lower()}.sasl.jaas.config": scram if len(nodes) == 1 else plain,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": tls.broker,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": tls.ca,
        "ssl.client.auth": "none",
        "log.dirs": data,
        **broker_settings(len(nodes)),
    }


# Small enough for a laptop that runs three.
_LAPTOP: dict[str, str | int | Path] = {
    "offsets.topic.num.partitions": 8,
    "transaction.state.log.num.partitions": 8,
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    "num.network.threads": 3,
    "num.io.threads": 4,
    "controlled.shutdown.max.retries": 1,
}
