"""The Kafka brokers of the local stack: KRaft in combined mode, one or three, TLS and SASL on every listener.

A broker's settings hold the admin's password (brokers speak to each other with it), so they are 0600 like it. The
password reaches StorageTool through an argument file (see `java.run_tool`), never a command line. Its derived form
(`saltedpassword=`) would not do instead: SCRAM accepts whoever knows that. Source: RFC 5802, section 3.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.certificates import Certificates
from deploy.local.files import private_dir, write_private
from deploy.local.java import environment, java_binary, run_tool
from deploy.local.ports import HOST
from deploy.local.processes import Process, spawn
from tidings.errors import Fatal

CLIENT_PORT = 9092
CONTROLLER_PORT = 9192
_SCRAM_ITERATIONS = 4096
_DAY_MINUTES = 24 * 60

# Above every inbox's retention: a group's offsets must not expire before the records that they point into.
OFFSETS_RETENTION_DAYS = 400

# A killed member is replaced within this; the default of 45 s would hold its partitions up for that long.
_SESSION_TIMEOUT_MS = 8_000

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
    """One broker's number (from 1), its two loopback ports, and the id of its log folder."""

    number: int
    client_port: int
    controller_port: int
    directory_id: str


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
    settings = _settings(folder, node, nodes, tls, password)
    return write_private(folder / "server.properties", "".join(f"{key}={value}\n" for key, value in settings.items()))


def format_storage(
    jars: Sequence[Path], settings: Path, node: Node, nodes: Sequence[Node], cluster_id: str, password: str
) -> None:
    """Make one node's empty log, with the admin's credential in it. Nothing is done where it is made already."""
    if (settings.parent / "data" / "meta.properties").exists():
        return
    voters = ",".join(f"{each.number}@{HOST}:{each.controller_port}:{each.directory_id}" for each in nodes)
    run_tool(
        jars,
        "kafka.tools.StorageTool",
        [
            *("format", "--cluster-id", cluster_id, "--config", str(settings)),
            *("--initial-controllers", voters),
            *("--add-scram", f"SCRAM-SHA-512=[name=admin,iterations={_SCRAM_ITERATIONS},password={password}]"),
        ],
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
            *("kafka.Kafka", str(settings)),
        ],
        logs / f"broker-{node.number}.log",
        cwd=settings.parent,
        env=environment(),
    )


def _settings(
    folder: Path, node: Node, nodes: Sequence[Node], tls: Certificates, password: str
) -> dict[str, str | int | Path]:
    replicas = len(nodes)
    login = f'username="admin" password="{password}"'
    scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};"
    # SCRAM credentials live in the metadata, which several voters can only agree on once they are signed in to each
    # other: tried, and refused for ever. So a quorum of three signs in with PLAIN, inside TLS, to one fixed account.
    mechanism = "SCRAM-SHA-512" if replicas == 1 else "PLAIN"
    plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required {login} user_admin="{password}";'
    return {
        # Who it is and where it listens: loopback only, TLS and SCRAM on both listeners.
        "process.roles": "broker,controller",
        "node.id": node.number,
        "listeners": f"CLIENT://{HOST}:{node.client_port},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"CLIENT://{HOST}:{node.client_port},CONTROLLER://{HOST}:{node.controller_port}",
        "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:SASL_SSL",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": ",".join(f"{HOST}:{each.controller_port}" for each in nodes),
        "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.controller.sasl.enabled.mechanisms": mechanism,
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "sasl.mechanism.controller.protocol": mechanism,
        "listener.name.client.scram-sha-512.sasl.jaas.config": scram,
        f"listener.name.controller.{mechanism.lower()}.sasl.jaas.config": scram if replicas == 1 else plain,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": tls.broker,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": tls.ca,
        "ssl.client.auth": "none",
        # Who may do what: nothing that no ACL allows.
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": "User:admin",
        "auto.create.topics.enable": "false",
        # What is kept, and how safely.
        "log.dirs": folder / "data",
        "log.message.timestamp.type": "LogAppendTime",
        "default.replication.factor": replicas,
        "min.insync.replicas": min(2, replicas),
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 8,
        "offsets.retention.minutes": OFFSETS_RETENTION_DAYS * _DAY_MINUTES,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": min(2, replicas),
        "transaction.state.log.num.partitions": 8,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": min(2, replicas),
        # How long a client that died holds others up.
        "transaction.max.timeout.ms": 60_000,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
        "group.initial.rebalance.delay.ms": 0,
        "group.consumer.session.timeout.ms": _SESSION_TIMEOUT_MS,
        "group.consumer.min.session.timeout.ms": 6_000,
        "group.consumer.heartbeat.interval.ms": 1_000,
        "group.consumer.min.heartbeat.interval.ms": 500,
        # Small enough for a laptop that runs three.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "num.network.threads": 3,
        "num.io.threads": 4,
        "controlled.shutdown.max.retries": 1,
    }
