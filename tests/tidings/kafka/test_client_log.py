"""What the Kafka client logs: through our own log, as kind and reason, and never on standard error by itself."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from confluent_kafka import Consumer
from structlog.testing import capture_logs

from tests.tidings.kafka.test_produce import authority
from tidings.errors import Retriable
from tidings.kafka.client_log import CLIENT_LOGGER
from tidings.kafka.cluster import Cluster
from tidings.kafka.group_members import has_members
from tidings.kafka.policy_store import PolicyReader
from tidings.kafka.produce import RecordProducer
from tidings.policy.model import Environment


@pytest.fixture
def nowhere(tmp_path: Path) -> Cluster:
    """A cluster that nobody answers for."""
    (tmp_path / "gro.password").write_text("throwaway-secret")
    (tmp_path / "gro.password").chmod(0o600)
    return Cluster(
        bootstrap_servers="127.0.0.1:9",
        ca_file=authority(tmp_path),
        credentials_dir=tmp_path,
        keys_file=tmp_path,
        environment=Environment.SYNTHETIC,
    )


def test_a_broker_that_is_away_is_told_by_us_alone(
    nowhere: Cluster, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader's and a writer's failures to connect are events with a reason; an administrator's are only raised."""
    monkeypatch.setattr("tidings.kafka.groups.CALL_S", 0.5)
    monkeypatch.setattr("tidings.kafka.read.CALL_S", 0.5)
    with capture_logs() as said:
        consumer = Consumer(nowhere.consumer_config("gro", "g"))
        consumer.subscribe(["t"])
        consumer.poll(1.0)
        consumer.close()
        producer = RecordProducer(nowhere, "gro")
        producer.send("t", b"k", b"Quillfeather", lambda _error: None)
        with pytest.raises(Retriable):
            producer.flush(0.5)
    with pytest.raises(Retriable):
        has_members(nowhere, "gro")
    with pytest.raises(Retriable):
        PolicyReader(nowhere, "gro").read()
    written = "".join(capfd.readouterr())

    failures = {(each["kind"], each["why"], each["client"].rpartition("-")[0]) for each in said}
    assert ("FAIL", "connection refused", "tidings-gro#consumer") in failures
    assert ("FAIL", "connection refused", "tidings-gro#producer") in failures
    assert "%3|" not in written
    assert "127.0.0.1" not in str(said)
    assert "throwaway-secret" not in str(said) + written
    assert "Quillfeather" not in str(said) + written


@pytest.mark.parametrize(
    "parts",
    [
        ("FAIL", "tidings-gro#consumer-1", "Quillfeather of 1 High Street: Disconnected"),
        ("Quillfeather", "Quillfeather#consumer-1", "Quillfeather: Disconnected"),
    ],
)
def test_no_text_of_the_client_crosses(parts: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    """Only what is in a closed list, or has the form of a kind or of a client's name, is passed on."""
    with capture_logs() as said:
        CLIENT_LOGGER.log(logging.ERROR, "%s [%s] %s", *parts)
        CLIENT_LOGGER.log(logging.ERROR, "Quillfeather")
        CLIENT_LOGGER.log(logging.ERROR, "Quillfeather %s", "Quillfeather")

    assert [each["why"] for each in said] == ["disconnected", "unknown", "unknown"]
    assert {each["log_level"] for each in said} == {"error"}
    assert "Quillfeather" not in str(said) + caplog.text


def test_a_coordinator_that_loads_is_told_as_that() -> None:
    """What the first transaction after a broker's start meets, and what passes by itself."""
    text = "Failed to acquire idempotence PID from broker b1: Broker: Coordinator load in progress: retrying"
    with capture_logs() as said:
        CLIENT_LOGGER.log(logging.WARNING, "%s [%s] %s", "GETPID", "tidings-gro#producer-2", text)

    assert [each["why"] for each in said] == ["coordinator load in progress"]
