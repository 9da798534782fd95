"""Where the cluster is and how each principal connects to it: the settings of `cluster.json`, made into client ones.

`tidings up` writes the file locally; in production it is written by hand. Paths in it are relative to it:

| key | meaning |
| --- | --- |
| `bootstrap_servers` | `host:port,…` of the brokers |
| `ca_file` | PEM of the authority that signed the broker's and the registry's certificates |
| `registry_url` | base address of the registry's gate, https; empty where there is no registry |
| `credentials_dir` | folder with `<principal>.password` files, mode 0600 |
| `keys_file` | the exchange's root key, mode 0600 (see `tidings.keys`) |
| `environment` | `LIVE` or `SYNTHETIC` |
| `replication_factor` | of every topic that `apply` makes |
| `deployment` | names this exchange among those of one cluster, `main` unless given |
| `provisioned_by` | who makes principals, topics and quotas: `tidings` unless given; `strimzi`: its operators |
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidings.errors import BadInput, Fatal, Problem
from tidings.kafka.client_log import CLIENT_LOGGER
from tidings.policy.model import Environment
from tidings.provisioning.topic_plan import INBOX_MESSAGE_MAX_BYTES
from tidings.topics import is_id

CLUSTER_FILE = Path(".tidings") / "cluster.json"
CLUSTER_VARIABLE = "TIDINGS_CLUSTER"
MECHANISM = "SCRAM-SHA-512"
TIDINGS: Final = "tidings"
STRIMZI: Final = "strimzi"

ClientConfig: TypeAlias = dict[str, Any]

_WORDS = {"missing": "is required", "extra_forbidden": "is not a key that is known"}


class _File(BaseModel):
    """The content of `cluster.json`; a key that is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    bootstrap_servers: str = Field(min_length=1)
    ca_file: str
    registry_url: str = ""
    credentials_dir: str
    keys_file: str
    environment: Literal["LIVE", "SYNTHETIC"]
    replication_factor: int = Field(ge=1)
    deployment: str = "main"
    provisioned_by: Literal["tidings", "strimzi"] = TIDINGS


class Cluster:
    """One Kafka cluster with its registry. Holds paths and addresses; a password is read when asked for."""

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        ca_file: Path,
        credentials_dir: Path,
        keys_file: Path,
        environment: Environment,
        replication_factor: int = 1,
        registry_url: str = "",
        deployment: str = "main",
        provisioned_by: str = TIDINGS,
    ) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.ca_file = ca_file
        self.credentials_dir = credentials_dir
        self.keys_file = keys_file
        self.environment = environment
        self.replication_factor = replication_factor
        self.registry_url = registry_url
        self.deployment = deployment
        self.provisioned_by = provisioned_by

    @classmethod
    def load(cls, path: Path) -> Cluster:
        """Read a `cluster.json`. Raises BadInput where it is malformed, Fatal where it cannot be read at all."""
        try:
            content = path.read_bytes()
        except OSError:
            raise Fatal(f"{path} cannot be read; run `tidings up`, or name another with --cluster") from None
        try:
            file = _File.model_validate_json(content)
        except ValidationError as error:
            raise BadInput(
                [_problem(path, each["loc"], _WORDS.get(each["type"], each["msg"])) for each in error.errors()]
            ) from None
        if not is_id(file.deployment):
            raise BadInput([_problem(path, ("deployment",), "not an id of a-z, 0-9 and inner hyphens")])
        home = path.resolve().parent
        return cls(
            bootstrap_servers=file.bootstrap_servers,
            ca_file=home / file.ca_file,
            credentials_dir=home / file.credentials_dir,
            keys_file=home / file.keys_file,
            environment=Environment(file.environment),
            replication_factor=file.replication_factor,
            registry_url=file.registry_url,
            deployment=file.deployment,
            provisioned_by=file.provisioned_by,
        )

    def password(self, principal: str) -> str:
        """The password of `principal`. Raises Fatal where its file is absent or may be read by others."""
        if not is_id(principal):
            raise Fatal(f"{principal!r} is not a principal: an id of a-z, 0-9 and inner hyphens")
        path = self.credentials_dir / f"{principal}.password"
        try:
            mode = path.stat().st_mode & 0o777
            password = path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise Fatal(f"no credentials for {principal}: {path} cannot be read") from None
        if mode & 0o077:
            raise Fatal(f"{path} may be read by others (mode {mode:o}); use 0600")
        return password

    def client_config(self, principal: str) -> ClientConfig:
        """What any confluent-kafka client of `principal` needs: TLS, SCRAM, a name, and where it logs. Raises as
        `password`.

        `reconnect.backoff.max.ms` is 1,000: with the client's default of 10,000 one that waited for a broker to restart
        finds it up to ten seconds late.
        """
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self.ca_file),
            "ssl.endpoint.identification.algorithm": "https",
            "sasl.mechanism": MECHANISM,
            "sasl.username": principal,
            "sasl.password": self.password(principal),
            "client.id": f"tidings-{principal}",
            "reconnect.backoff.max.ms": 1_000,
            "logger": CLIENT_LOGGER,
        }

    def consumer_config(self, principal: str, group: str) -> ClientConfig:
        """For a reader: committed records only, offsets by hand, and no silent start where there is no offset."""
        return self.client_config(principal) | {
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
        }

    def producer_config(self, principal: str) -> ClientConfig:
        """For a writer: idempotent, Java's partitioner (or a subject lands in two partitions), no waiting for batches.

        `retry.backoff.ms` is 2 because the client's default of 100 makes every second transaction wait that long.
        """
        return self.client_config(principal) | {
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "linger.ms": 0,
            "retry.backoff.ms": 2,
        }

    def publisher_config(self, principal: str) -> ClientConfig:
        """For a writer of inboxes: as `producer_config`, its batches below the largest message that an inbox takes.

        The broker weighs a batch as one message: with the client's default of 1 MB a burst is refused whole.
        """
        return self.producer_config(principal) | {
            "batch.size": INBOX_MESSAGE_MAX_BYTES // 2,
            "message.max.bytes": INBOX_MESSAGE_MAX_BYTES,
        }

    def __repr__(self) -> str:
        return f"Cluster({self.bootstrap_servers}, {self.environment.value})"


def default_cluster_file() -> Path:
    """Where commands look for the cluster: `$TIDINGS_CLUSTER`, else `.tidings/cluster.json`."""
    return Path(os.environ.get(CLUSTER_VARIABLE) or CLUSTER_FILE)


def _problem(path: Path, location: tuple[int | str, ...], message: str) -> Problem:
    return Problem(str(path), 0, ".".join(map(str, location)), "cluster-file", message)
