"""The local stack on real brokers: what is refused, what is kept, what listens where."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from deploy.local import broker as brokers
from deploy.local import stack as stacks
from deploy.local.files import write_private
from deploy.local.ports import HOST
from deploy.local.stack import Options, down, up
from tests.stacks import come_back
from tidings.errors import Fatal
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.client_quotas import ClientQuotas

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def running(one_broker):
    """The session's broker, for tests that change nothing lasting."""
    return one_broker


def reached(config: dict, seconds: float = 3.0) -> bool:
    """Whether a client with this configuration gets the broker's metadata within `seconds`."""
    try:
        return bool(AdminClient(config | {"log_level": 0}).list_topics(timeout=seconds).brokers)
    except KafkaException:
        return False


def test_right_password_over_tls_is_served(running):
    """The administrator of set-up gets in, so that the refusals below mean something."""
    assert reached(running.cluster.client_config("admin"), 20)


WRONG = [
    {"sasl.password": "wrong"},
    {"sasl.username": "nobody"},
    {"security.protocol": "SASL_PLAINTEXT"},
    {"security.protocol": "PLAINTEXT"},
    {"security.protocol": "SSL"},
    {"ssl.ca.location": "/etc/ssl/certs/ca-certificates.crt"},
    {"sasl.mechanism": "PLAIN"},
]


def test_wrong_credentials_protocol_or_ca_is_refused(running):
    """Each of TLS, mechanism, name, password and authority is needed."""

    def with_change(change: dict) -> bool:
        config = running.cluster.client_config("admin") | change
        if change.get("security.protocol") in {"PLAINTEXT", "SSL"}:
            config = {name: value for name, value in config.items() if not name.startswith("sasl.")}
        return reached(config)

    with ThreadPoolExecutor(len(WRONG)) as pool:
        assert [change for change, got_in in zip(WRONG, pool.map(with_change, WRONG), strict=True) if got_in] == []


def test_access_is_denied_unless_allowed(running):
    """A principal with a password and no ACL sees no topic, writes to none and reads none."""
    admin = Admin(running.cluster)
    admin.create_topics([Topic("inbox.gro.x", 1, 1)])
    write_private(running.cluster.credentials_dir / "stranger.password", "throwaway\n")
    admin.set_password("stranger", "throwaway")
    config = running.cluster.client_config("stranger")
    refused = []

    with pytest.raises(Fatal, match="AUTHORIZATION_FAILED"):
        Admin(running.cluster, "stranger").create_topics([Topic("inbox.gro.y", 1, 1)])
    producer = Producer(config)
    producer.produce("inbox.gro.x", b"v", on_delivery=lambda error, _message: refused.append(error.name()))
    producer.flush(20)
    consumer = Consumer(config | {"group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe(["inbox.gro.x"])
    message = consumer.poll(20)
    consumer.close()

    assert refused == ["TOPIC_AUTHORIZATION_FAILED"]
    assert message.error().name().endswith("AUTHORIZATION_FAILED")
    assert "inbox.gro.x" not in AdminClient(config).list_topics(timeout=20).topics


def test_topics_are_never_made_by_use(running):
    """Writing to a topic that is not there makes none, not even for the administrator."""
    producer = Producer(running.cluster.client_config("admin") | {"message.timeout.ms": 3000})
    producer.produce("never.made", b"v")
    producer.flush(10)

    assert "never.made" not in Admin(running.cluster).topics()


def test_secrets_are_private_and_on_no_command_line(running):
    """Every folder is 0700, every file of ours 0600, and no running command line holds a password."""
    secrets = [path.read_text().strip() for path in (running.data / "credentials").iterdir()]
    modes = {path.stat().st_mode & 0o077 for path in [running.data, *running.data.rglob("*")] if not path.is_symlink()}
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK)]

    assert len(secrets) == len(set(secrets)) >= 3
    assert modes == {0}
    assert not any(secret.encode() in line for secret in secrets for line in lines)


def test_everything_listens_on_loopback_only(running):
    """No process of the stack has a listener on another address than loopback."""
    pids = {process.pid for process in running.state.running()}

    addresses = [address for pid in pids for address in listeners(pid)]

    assert len(addresses) >= 2
    assert all(address == "127.0.0.1" for address in addresses)


def test_second_up_finds_it_running(running):
    """A second up starts nothing and gives the same processes."""
    again = up(Options(running.data, registry=False, default_ports=False))

    assert not again.fresh
    assert again.state.processes == running.state.processes


def test_other_shape_of_a_made_folder_is_refused(running):
    """The number of brokers and the environment of a folder are for good."""
    with pytest.raises(Fatal, match="brokers 1"):
        up(Options(running.data, brokers=3, registry=False))
    with pytest.raises(Fatal, match="SYNTHETIC"):
        up(Options(running.data, environment="LIVE", registry=False))


def test_quotas_are_set_and_described(running):
    """Quotas are set to exactly what is wanted, and all are described."""
    quotas = ClientQuotas(running.cluster)

    quotas.set({"dwp": {"producer_byte_rate": 1048576, "consumer_byte_rate": 7}, "gro": {"request_percentage": 50}})
    assert quotas.describe() == {
        "dwp": {"producer_byte_rate": 1048576, "consumer_byte_rate": 7},
        "gro": {"request_percentage": 50},
    }
    quotas.set({"dwp": {"producer_byte_rate": 5}, "gro": {}})
    assert quotas.describe() == {"dwp": {"producer_byte_rate": 5}}


def test_restart_keeps_data_and_a_taken_port_is_replaced(spare_broker):
    """What was written is there after a restart, though another has the broker's client port by then."""
    first = spare_broker.state
    Admin(spare_broker.cluster).create_topics([Topic("kept", 1, 1)])
    producer = Producer(spare_broker.cluster.producer_config("admin"))
    producer.produce("kept", b"value")
    assert producer.flush(20) == 0
    assert {each.name for each in down(spare_broker.data)} == {"broker-1"}
    assert not first.running()
    taken = first.nodes[0].client_port

    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, taken))
        holder.listen()
        come_back(spare_broker)

    assert spare_broker.fresh
    assert spare_broker.state.nodes[0].client_port != taken
    consumer = Consumer(spare_broker.cluster.consumer_config("admin", "g") | {"auto.offset.reset": "earliest"})
    consumer.subscribe(["kept"])
    assert consumer.poll(30).value() == b"value"
    consumer.close()


def test_failed_up_leaves_nothing_running(tmp_path, monkeypatch):
    """When a step after the broker's start fails, the broker is stopped and the next down finds nothing."""
    started = []
    real = brokers.start
    monkeypatch.setattr(brokers, "start", lambda *given, **more: started.append(real(*given, **more)) or started[-1])

    def fail(*_given: object) -> None:
        raise Fatal("planted")

    monkeypatch.setattr(stacks, "_wait_for_brokers", fail)
    with pytest.raises(Fatal, match="planted"):
        up(Options(tmp_path / "data", registry=False, default_ports=False))

    assert len(started) == 1
    assert not started[0].running()
    assert down(tmp_path / "data") == ()


def test_three_brokers_elect_and_serve_without_one(stack_factory):
    """Three brokers replicate a topic, and go on taking writes with one of them killed."""
    stack = stack_factory(brokers=3)
    admin = Admin(stack.cluster, deadline_seconds=60)
    admin.create_topics([Topic("t", 3, 3)])
    assert admin.describe_topics(["t"])["t"].replication_factor == 3

    victim = stack.state.processes[0]
    subprocess.run(["/bin/kill", "-9", str(victim.pid)], check=True)
    producer = Producer(stack.cluster.producer_config("admin"))
    delivered = []
    for partition in range(3):
        producer.produce("t", b"v", partition=partition, on_delivery=lambda error, _message: delivered.append(error))
    assert producer.flush(60) == 0

    assert delivered == [None, None, None]
    assert stack.cluster.replication_factor == 3


def listeners(pid: int) -> list[str]:
    """The IPv4 addresses (also those mapped into IPv6) that process `pid` listens on."""
    inodes = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                last = bytes.fromhex(fields[1].partition(":")[0][-8:])
                found.append(".".join(str(byte) for byte in reversed(last)))
    return found


def test_state_file_names_no_secret(running):
    """stack.json and cluster.json hold ids, ports and paths, and no password."""
    passwords = [path.read_text().strip() for path in (running.data / "credentials").iterdir()]
    text = json.dumps([(running.data / name).read_text() for name in ("stack.json", "cluster.json")])

    assert not any(password in text for password in passwords)
    assert replace(running.state) == running.state
