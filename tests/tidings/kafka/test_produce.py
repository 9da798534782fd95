"""The plain producer on a real broker: confirmed, in order, in the partition that murmur2 says; its errors are ours."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tidings.errors import Retriable, TidingsError
from tidings.kafka.cluster import Cluster
from tidings.kafka.produce import RecordProducer, is_too_large
from tidings.partitions import partition_of
from tidings.policy.model import Environment
from tidings.provisioning.topic_plan import INBOX_MESSAGE_MAX_BYTES

TOPIC = "produce-test"


@pytest.mark.broker
def test_delivered_in_order_where_murmur2_says(broker: Cluster) -> None:
    """After flush every record was confirmed, each key is in its murmur2 partition in order; one too large says so."""
    admin = AdminClient(broker.client_config("admin"))
    admin.create_topics([NewTopic(TOPIC, 3, 1)])[TOPIC].result(30)
    reports: list[TidingsError | None] = []
    producer = RecordProducer(broker, "admin")
    for number in range(300):
        producer.send(TOPIC, f"key-{number % 7}".encode(), str(number).encode(), reports.append)
    producer.flush()
    assert reports == [None] * 300

    consumer = Consumer(broker.consumer_config("admin", "produce-test"))
    consumer.assign([TopicPartition(TOPIC, each, 0) for each in range(3)])
    last: dict[bytes, int] = {}
    seen = 0
    while seen < 300:
        record = consumer.poll(30)
        assert record is not None
        assert record.error() is None
        key, value = record.key(), record.value()
        assert key is not None
        assert value is not None
        assert record.partition() == partition_of(key, 3)
        assert int(value) > last.get(key, -1)
        last[key] = int(value)
        seen += 1
    consumer.close()

    try:
        producer.send(TOPIC, b"k", b"x" * 3_000_000, reports.append)
        producer.flush()
        failure = reports[-1]
    except TidingsError as error:
        failure = error
    assert failure is not None
    assert is_too_large(failure)


@pytest.mark.broker
def test_a_burst_is_no_message_too_large(broker: Cluster) -> None:
    """A topic with an inbox's limit takes any number of small records at once, though nothing compresses."""
    topic = "produce-burst"
    config = {"max.message.bytes": str(INBOX_MESSAGE_MAX_BYTES)}
    admin = AdminClient(broker.client_config("admin"))
    admin.create_topics([NewTopic(topic, 1, 1, config=config)])[topic].result(30)
    chosen = random.Random(1)  # noqa: S311 - noise that does not compress, the same every time
    reports: list[TidingsError | None] = []
    producer = RecordProducer(broker, "admin")
    for _ in range(4_000):
        producer.send(topic, b"k", chosen.randbytes(300), reports.append)
    producer.flush()
    assert reports == [None] * 4_000


def authority(folder: Path) -> Path:
    """A certificate that signs nothing, for a client that only wants to read one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime(2025, 1, 1), datetime(2125, 1, 1))  # noqa: DTZ001 (X.509 times are UTC)
    path = folder / "ca.pem"
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def test_no_broker_is_retriable(tmp_path: Path) -> None:
    """Where nothing answers, flush ends in time and says that it may be tried again."""
    (tmp_path / "gro.password").write_text("x")
    (tmp_path / "gro.password").chmod(0o600)
    cluster = Cluster(
        bootstrap_servers="127.0.0.1:9",
        ca_file=authority(tmp_path),
        credentials_dir=tmp_path,
        keys_file=tmp_path,
        environment=Environment.SYNTHETIC,
    )
    producer = RecordProducer(cluster, "gro")
    producer.send(TOPIC, b"k", b"v", lambda _error: None)

    with pytest.raises(Retriable, match="1 records"):
        producer.flush(0.5)
