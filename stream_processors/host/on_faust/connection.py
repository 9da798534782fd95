"""How the host reaches a cluster, and where it keeps its tables: all that it is told of the outside."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import faust
from faust.types.auth import SASLMechanism

from stream_processors.host.on_faust.tables import HostTable
from stream_processors.host.on_faust.transport import HostTransport

COMMIT_S = 1.0
SESSION_S = 10.0
_HEARTBEAT_S = 2.0
_REQUEST_S = 30.0
READ_AT_ONCE = 500
"""Records. Else Faust takes all that the client has fetched, and looks for work again when all of that is read."""
_MESSAGE_MAX_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Connection:
    """`bootstrap_servers` is `host:port,…`; `ca_file` signed their certificates. `data` is the process's own folder."""

    bootstrap_servers: str
    ca_file: Path
    principal: str
    password: str = field(repr=False)
    data: Path


class _HostApp(faust.App):
    """Faust's app with the host's consumer, which reads `work_topic` before all else."""

    work_topic = ""

    def _new_transport(self) -> HostTransport:
        return HostTransport(self.conf.broker_consumer, self)


def new_app(connection: Connection, group: str, work_topic: str) -> faust.App:
    """An app that makes no topic, serves no web page, begins at the start of what its group has never read, and reads
    what is in `work_topic` first."""
    hosts = connection.bootstrap_servers.split(",")
    trust = ssl.create_default_context(cafile=str(connection.ca_file))
    # A version's tables are its own: rows of another would be taken for recovered ones.
    folder = connection.data / group
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = _HostApp(
        group,
        broker=[f"kafka://{host}" for host in hosts],
        broker_credentials=faust.SASLCredentials(
            username=connection.principal,
            password=connection.password,
            mechanism=SASLMechanism.SCRAM_SHA_512,
            ssl_context=trust,
        ),
        broker_client_id=f"tidings-{connection.principal}",
        broker_commit_interval=COMMIT_S,
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=_HEARTBEAT_S,
        broker_request_timeout=_REQUEST_S,
        broker_max_poll_records=READ_AT_ONCE,
        producer_request_timeout=_REQUEST_S,
        producer_max_request_size=_MESSAGE_MAX_BYTES,
        producer_acks=-1,
        consumer_auto_offset_reset="earliest",
        datadir=str(folder),
        Table=HostTable,
        stream_wait_empty=False,  # what was skipped is never acknowledged; the host waits for what is in flight
        topic_allow_declare=False,
        topic_disable_leader=True,
        autodiscover=False,
        web_enabled=False,
    )
    app.work_topic = work_topic
    return app
