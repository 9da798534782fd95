"""One table of broker settings: the local stack has it, as compose and Kubernetes do (their tests are beside this)."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.broker import Node, write_settings
from deploy.local.certificates import Certificates
from deploy.settings import OFFSETS_RETENTION_DAYS, broker_settings
from tidings.catalogue import default_catalogue_dir, load_catalogue

PROMISES = {
    "authorizer.class.name", "allow.everyone.if.no.acl.found", "super.users", "auto.create.topics.enable",
    "log.message.timestamp.type", "min.insync.replicas", "default.replication.factor", "offsets.retention.minutes",
    "offsets.topic.replication.factor", "transaction.state.log.replication.factor", "transaction.state.log.min.isr",
    "unclean.leader.election.enable", "group.consumer.session.timeout.ms",
}  # fmt: skip


@pytest.mark.parametrize("brokers", [1, 3])
def test_the_local_stack_has_the_table(tmp_path: Path, brokers: int) -> None:
    """To the letter, for one broker and for three."""
    nodes = [Node(number, 19000 + number, 19100 + number, "id") for number in range(1, brokers + 1)]
    tls = Certificates(tmp_path / "ca.pem", tmp_path / "broker.pem", tmp_path / "gate.pem")
    path = write_settings(tmp_path, nodes[0], nodes, tls, "throwaway")
    found = dict(line.split("=", 1) for line in path.read_text("utf-8").splitlines())
    table = broker_settings(brokers)

    assert {name: found[name] for name in table} == {name: str(value) for name, value in table.items()}
    assert set(table) >= PROMISES


def test_three_brokers_lose_one_and_no_event() -> None:
    """Three copies of everything, two of them before a write counts, and nobody leads who has not all of it."""
    table = broker_settings(3)

    assert {table[name] for name in table if name.endswith("replication.factor")} == {3}
    assert {table[name] for name in table if name.endswith(("min.isr", "min.insync.replicas"))} == {2}
    assert table["unclean.leader.election.enable"] == "false"


def test_offsets_outlive_every_inbox() -> None:
    """A group's offsets must not expire before the records that they point into."""
    catalogue = load_catalogue(default_catalogue_dir())

    assert max(each.retention_days for each in catalogue.event_types.values()) < OFFSETS_RETENTION_DAYS
