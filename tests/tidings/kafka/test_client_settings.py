"""The settings that an agency is given: everything that matters, and no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from tidings.errors import Fatal
from tidings.kafka.client_settings import client_settings, java_properties
from tidings.kafka.cluster import Cluster
from tidings.policy.model import Environment

PASSWORD = "a-throwaway-secret"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster file's content, with the password of one agency."""
    path = tmp_path / "dwp.password"
    path.write_text(PASSWORD)
    path.chmod(0o600)
    return Cluster(
        bootstrap_servers="127.0.0.1:1",
        ca_file=tmp_path / "ca.pem",
        credentials_dir=tmp_path,
        keys_file=tmp_path / "root.key",
        environment=Environment.SYNTHETIC,
        registry_url="https://127.0.0.1:2",
    )


def test_no_secret_is_in_it(cluster: Cluster) -> None:
    """Neither as JSON nor as properties: the file that holds it is named instead."""
    settings = client_settings(cluster, "dwp")

    assert PASSWORD not in json.dumps(settings) + java_properties(settings)
    assert Path(settings["password_file"]).read_text() == PASSWORD


def test_what_exactly_once_needs_is_in_it(cluster: Cluster) -> None:
    """read_committed for readers, Java's partitioner and idempotence for writers, TLS with its host name for both."""
    settings = client_settings(cluster, "dwp")

    assert settings["consumer"]["isolation.level"] == "read_committed"
    assert settings["consumer"]["auto.offset.reset"] == "earliest"
    assert settings["consumer"]["group.id"].startswith("dwp.")
    assert settings["producer"]["partitioner"] == "murmur2_random"
    assert settings["producer"]["enable.idempotence"] is True
    for side in ("producer", "consumer"):
        assert settings[side]["security.protocol"] == "SASL_SSL"
        assert settings[side]["ssl.endpoint.identification.algorithm"] == "https"


def test_the_registry_is_named_as_a_stock_client_wants_it(cluster: Cluster) -> None:
    """With the path of Confluent's API."""
    assert client_settings(cluster, "dwp")["registry"]["url"] == "https://127.0.0.1:2/apis/ccompat/v7"


@pytest.mark.filterwarnings("ignore")
def test_the_clients_take_every_setting(cluster: Cluster) -> None:
    """librdkafka refuses a name that it does not know."""
    settings = client_settings(cluster, "dwp")
    for side in ("producer", "consumer"):
        settings[side].pop("ssl.ca.location")  # it is read at once, and there is none here

    Producer({**settings["producer"], "sasl.password": PASSWORD, "log_level": 0})
    Consumer({**settings["consumer"], "sasl.password": PASSWORD, "log_level": 0}).close()


def test_java_is_given_its_own_names(cluster: Cluster) -> None:
    """A PEM trust store, the login module, booleans in lower case; nothing that only librdkafka knows."""
    text = java_properties(client_settings(cluster, "dwp"))

    assert text.count("ssl.truststore.type=PEM") == 2
    assert "isolation.level=read_committed" in text
    assert "enable.idempotence=true" in text
    assert 'username="dwp"' in text
    assert "murmur2_random" not in text
    assert "ssl.ca.location" not in text


def test_an_agency_without_credentials_is_refused(cluster: Cluster) -> None:
    """The message names it and the file that is missing."""
    with pytest.raises(Fatal, match="no credentials for gro"):
        client_settings(cluster, "gro")
