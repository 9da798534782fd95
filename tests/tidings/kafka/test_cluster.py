"""The cluster's settings: what is refused, and what every client gets."""

from __future__ import annotations

import json

import pytest

from tidings.errors import BadInput, Fatal
from tidings.kafka.cluster import Cluster

FILE = {
    "bootstrap_servers": "127.0.0.1:9092",
    "ca_file": "tls/ca.pem",
    "registry_url": "",
    "credentials_dir": "credentials",
    "keys_file": "keys/root.key",
    "environment": "SYNTHETIC",
    "replication_factor": 1,
}


@pytest.fixture
def cluster(tmp_path):
    """A cluster whose only principal is `dwp`."""
    (tmp_path / "cluster.json").write_text(json.dumps(FILE))
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "dwp.password").touch(mode=0o600)
    (tmp_path / "credentials" / "dwp.password").write_text("secret\n")
    return Cluster.load(tmp_path / "cluster.json")


@pytest.mark.parametrize(
    "change", [{"surplus": 1}, {"environment": "TEST"}, {"replication_factor": 0}, {"deployment": "A.b"}]
)
def test_malformed_file_is_refused(tmp_path, change):
    """A key that is unknown or a value that is not allowed is BadInput."""
    (tmp_path / "cluster.json").write_text(json.dumps(FILE | change))

    with pytest.raises(BadInput, match=next(iter(change))):
        Cluster.load(tmp_path / "cluster.json")


def test_absent_file_says_what_to_do(tmp_path):
    """Without a file the error names `tidings up`."""
    with pytest.raises(Fatal, match="tidings up"):
        Cluster.load(tmp_path / "cluster.json")


def test_readers_and_writers_get_what_exactly_once_needs(cluster):
    """Readers see committed records only and never start silently; writers are idempotent, with Java's partitioner; a
    broker that was away is found again at once."""
    reader, writer = cluster.consumer_config("dwp", "g"), cluster.producer_config("dwp")

    assert (reader["isolation.level"], reader["auto.offset.reset"]) == ("read_committed", "error")
    assert reader["enable.auto.commit"] is False
    assert (writer["partitioner"], writer["enable.idempotence"]) == ("murmur2_random", True)
    assert reader["reconnect.backoff.max.ms"] == writer["reconnect.backoff.max.ms"] == 1_000
    assert {reader["security.protocol"], writer["security.protocol"]} == {"SASL_SSL"}


def test_password_that_others_may_read_is_refused(cluster):
    """A credential of another mode than 0600 is not used, and no repr holds it."""
    (cluster.credentials_dir / "dwp.password").chmod(0o644)

    with pytest.raises(Fatal, match="0600"):
        cluster.password("dwp")
    assert "secret" not in repr(cluster)


@pytest.mark.parametrize("principal", ["nobody", "../dwp", ""])
def test_unknown_principal_is_refused(cluster, principal):
    """A principal without credentials, or one that is a path, is Fatal."""
    with pytest.raises(Fatal):
        cluster.client_config(principal)
