"""Quotas of the local stack, through the broker's own `ConfigCommand`: the client library has no call for them.

Each run of the tool is a JVM of about two seconds, so all principals are described in one run. It signs in with a file
of mode 0600, which is removed afterwards.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.local.java import kafka_jars, run_tool
from tidings.errors import Fatal
from tidings.kafka.cluster import MECHANISM, Cluster
from tidings.kafka.quotas import QUOTA_NAMES, NoQuotas, Quotas
from tidings.topics import is_id

_MAIN = "kafka.admin.ConfigCommand"
_PARALLEL = 2
_LINE = re.compile(r"Quota configs for user-principal '([^']+)' are (.*)")
_ENTRY = re.compile(r"([a-z_]+)=([0-9.E]+)")


class ConfigCommandQuotas:
    """Reads and sets quotas of `cluster` as `admin`, with the jars of the lock. See `tidings.kafka.quotas.Quotas`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def describe(self) -> dict[str, dict[str, int]]:
        """See `Quotas.describe`. One run of the tool."""
        return parse(self._run(["--describe", "--entity-type", "users"]))

    def set(self, quotas: Mapping[str, Mapping[str, int]]) -> None:
        """See `Quotas.set`. One run of the tool for each principal whose quotas differ, and one to find which do."""
        unknown = {name for each in quotas.values() for name in each} - set(QUOTA_NAMES)
        if unknown or not all(map(is_id, quotas)):
            raise Fatal(f"quotas: unknown name {', '.join(sorted(unknown)) or 'of a principal'}")
        if not quotas:
            return
        there = self.describe()
        changes = [(who, there.get(who, {}), dict(wanted)) for who, wanted in quotas.items()]
        with ThreadPoolExecutor(_PARALLEL) as pool:
            list(pool.map(lambda each: self._alter(*each), (each for each in changes if each[1] != each[2])))

    def _alter(self, principal: str, old: Mapping[str, int], new: Mapping[str, int]) -> None:
        arguments = ["--alter", "--entity-type", "users", "--entity-name", principal]
        if new:
            arguments += ["--add-config", ",".join(f"{name}={value}" for name, value in sorted(new.items()))]
        gone = sorted(set(old) - set(new))
        if gone:
            arguments += ["--delete-config", ",".join(gone)]
        self._run(arguments)

    def _run(self, arguments: Sequence[str]) -> str:
        with tempfile.TemporaryDirectory(prefix="tidings-quotas-") as name:  # made with mode 0700
            folder = Path(name)
            settings = folder / "client.properties"
            settings.touch(mode=0o600)
            settings.write_text(self._settings(), "utf-8")
            servers = ["--bootstrap-server", self._cluster.bootstrap_servers, "--command-config", str(settings)]
            return run_tool(kafka_jars(), _MAIN, [*servers, *arguments], folder=folder)

    def _settings(self) -> str:
        login = (
            "org.apache.kafka.common.security.scram.ScramLoginModule required "
            f'username="admin" password="{self._cluster.password("admin")}";'
        )
        return (
            f"security.protocol=SASL_SSL\nsasl.mechanism={MECHANISM}\nsasl.jaas.config={login}\n"
            f"ssl.truststore.type=PEM\nssl.truststore.location={self._cluster.ca_file}\n"
        )


def quotas_of(cluster: Cluster) -> Quotas:
    """The quotas of a cluster: by `ConfigCommand` where `tidings up` made it, else none of ours to set."""
    made_here = (cluster.credentials_dir.parent / "stack.json").exists()
    return ConfigCommandQuotas(cluster) if made_here else NoQuotas()


def parse(output: str) -> dict[str, dict[str, int]]:
    """The quotas in what `ConfigCommand --describe` prints: one line a principal."""
    return {
        match[1]: {name: round(float(value)) for name, value in _ENTRY.findall(match[2]) if name in QUOTA_NAMES}
        for match in _LINE.finditer(output)
    }
