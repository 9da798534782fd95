"""Apply on the real stack: broken off and repeated, idempotent, each agency sees its own and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from tests.commands.conftest import Life, Running
from tests.commands.kit import (
    fetch_error,
    group_error,
    reader_of,
    refused_reads,
    system_topics,
    transaction_error,
    write_error,
)
from tidings import topics
from tidings.errors import Fatal, Retriable
from tidings.kafka.admin import Admin
from tidings.kafka.client_settings import client_settings
from tidings.kafka.registry import Registry
from tidings.kafka.tally import account_of
from tidings.log import Partition
from tidings.policy.model import View
from tidings.projection import decode_view

pytestmark = [pytest.mark.stack, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

DENIED = "TOPIC_AUTHORIZATION_FAILED"


def registry_client(life: Life, agency: str) -> SchemaRegistryClient:
    """Confluent's own client, with what `tidings client-config` says and the agency's password."""
    settings = client_settings(life.cluster, agency)["registry"]
    login = f"{settings['basic.auth.user']}:{life.cluster.password(agency)}"
    return SchemaRegistryClient(
        {"url": settings["url"], "ssl.ca.location": settings["ssl.ca.location"], "basic.auth.user.info": login}
    )


def readable(life: Life) -> Iterator[View]:
    """Every view whose subscriber may read it today."""
    from tidings.clock import SystemClock, utc_date
    from tidings.provisioning.access import may_read

    today = utc_date(SystemClock().now_ms())
    return (view for view in life.policy().views if may_read(view, today))


def test_an_apply_that_is_broken_off_is_finished_by_the_next(life: Life) -> None:
    """Each attempt made one step; what was made was never due again."""
    first = life.attempts[0]

    assert first == ("principal", "topic", "schema", "access added", "quota", "start of an inbox", "policy")
    assert life.attempts == [first[done:] for done in range(len(first) - 1)]
    assert life.mended.before.version == 1


def test_a_second_plan_and_apply_change_nothing(life: Life) -> None:
    """Plan ends with 0 and says so, apply publishes nothing."""
    version = life.policy().version
    planned, applied = life.tidings("plan"), life.tidings("apply")

    assert (planned.code, applied.code) == (0, 0), planned.err + applied.err
    assert f"Nothing to change: policy {version} is in force" in planned.out
    assert "left out school-places v1: education has not approved" in planned.out
    assert life.policy().version == version


def test_what_was_changed_by_hand_is_planned_and_mended(life: Life) -> None:
    """Access that nobody gave, and a setting: plan ends with 2 and names both; apply puts them right."""
    from tidings.acl import Acl, Operation, Resource
    from tidings.kafka.admin import Admin

    admin, version = Admin(life.cluster), life.policy().version
    extra = Acl("dwp", Operation.READ, Resource.TOPIC, "inbox.gro.death-registered")
    admin.create_acls([extra])
    admin.alter_topic("inbox.gro.death-registered", {"retention.ms": "1000"})

    planned = life.tidings("plan")
    assert planned.code == 2
    assert "dwp: may no longer read topic inbox.gro.death-registered" in planned.out
    assert "retention.ms: 1000 becomes" in planned.out

    applied = life.tidings("apply", "--quiet")
    assert applied.code == 0, applied.err
    assert extra not in admin.acls()
    assert life.tidings("plan").code == 0
    assert life.policy().version == version


def test_a_damaged_policy_is_mended_by_the_next_apply(life: Life) -> None:
    """Its manifest damaged, no worker could load it: plan says so, apply publishes the next version, which loads."""
    mended = life.mended
    before, planned, applied, after = mended.before, mended.planned, mended.applied, mended.after

    assert "manifest" in mended.refusal
    assert planned.code == 2
    assert "version 1 is damaged (the policy's manifest cannot be read): 2 mends it" in planned.out
    assert applied.code == 0, applied.err
    assert (after.version, after.stops) == (before.version + 1, before.stops)
    assert (after.views, after.inboxes) == (before.views, before.inboxes)
    assert life.tidings("plan").code == 0


def test_every_feed_is_read_with_stock_clients(running: Running) -> None:
    """Each agency's own credentials and Confluent's own AvroDeserializer; only fields of its agreement are there."""
    from confluent_kafka.schema_registry.avro import AvroDeserializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    life, read = running.life, 0
    for agency in {view.subscriber for view in readable(life)}:
        feeds = {view.feed: view for view in readable(life) if view.subscriber == agency}
        deserialize = AvroDeserializer(registry_client(life, agency))
        for topic, value in all_values(life, agency, list(feeds)):
            view: Any = deserialize(value, SerializationContext(topic, MessageField.VALUE))
            schema = feeds[topic].view_schema
            assert view.keys() == {field["name"] for field in schema["fields"]}
            assert view["record_id"] == decode_view(schema, value)["record_id"]
            read += 1

    account = account_of(life.cluster, "admin")
    assert account.imbalances() == []
    assert read == sum(account.feeds.values())
    assert len(account.feeds) >= 12


def test_running_workers_are_not_waited_for_where_the_policy_stays(running: Running) -> None:
    """A topic's setting put right leaves them nothing to acknowledge: apply ends at once, and says so."""
    from tidings.kafka.admin import Admin

    Admin(running.life.cluster).alter_topic("inbox.gro.death-registered", {"retention.ms": "1000"})

    applied = running.life.tidings("apply", "--quiet", "--wait-seconds", "60")

    assert applied.code == 0, applied.err
    assert f"Policy {running.life.policy().version} stays in force" in applied.out
    assert running.life.tidings("plan").code == 0


def all_values(life: Life, agency: str, feeds: list[str]) -> Iterator[tuple[str, bytes]]:
    """Every record of these feeds up to their ends, as the agency."""
    partitions = {inbox.topic: inbox.partitions for inbox in life.policy().inboxes}
    inboxes = {view.feed: view.inbox for view in life.policy().views}
    wanted = [TopicPartition(feed, number, 0) for feed in feeds for number in range(partitions[inboxes[feed]])]
    consumer = reader_of(life.cluster, agency, **{"enable.partition.eof": True})
    consumer.assign(wanted)
    open_ends = len(wanted)
    try:
        while open_ends:
            message = consumer.poll(10)
            assert message is not None, f"{agency}: nothing came"
            error = message.error()
            if error is None:
                yield str(message.topic()), bytes(message.value() or b"")
            else:
                assert error.name() == "_PARTITION_EOF"
                open_ends -= 1
    finally:
        consumer.close()


@pytest.mark.parametrize("agency", ["dwp", "gro", "council-tax"])
def test_every_other_topic_is_refused(life: Life, agency: str) -> None:
    """Other agencies' feeds and notices, every inbox, the exchange's own topics: by the broker, by name."""
    policy = life.policy()
    own = {view.feed for view in readable(life) if view.subscriber == agency} | {f"notices.{agency}"}
    names = {view.feed for view in policy.views} | {inbox.topic for inbox in policy.inboxes}
    names |= {f"notices.{inbox.agency}" for inbox in policy.inboxes} | set(system_topics())
    inboxes = {inbox.topic for inbox in policy.inboxes if inbox.agency == agency}
    forbidden = sorted(names - own - inboxes)

    assert len(forbidden) > 40
    assert refused_reads(life.cluster, agency, forbidden) == dict.fromkeys(forbidden, DENIED)
    # A publisher may know of its own inbox, or it could not write there; it may not read it back.
    assert {fetch_error(life.cluster, agency, inbox) for inbox in inboxes} <= {DENIED}


def test_a_publisher_writes_its_inbox_and_nothing_else(life: Life) -> None:
    """Neither another's inbox, nor a feed, nor evidence, nor policy; and a subscriber writes nothing."""
    feed = next(readable(life)).feed
    for topic in ("inbox.nhs-pds.birth-notified", feed, "notices.gro", *system_topics()):
        assert write_error(life.cluster, "gro", topic) == DENIED, topic
    assert write_error(life.cluster, "dwp", "inbox.gro.death-registered") == DENIED


def test_nobody_may_take_a_workers_place(life: Life) -> None:
    """A transactional id of the exchange would fence its worker; its group would steal its partitions."""
    assert transaction_error(life.cluster, "gro", "exchange-main-0") == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"
    assert transaction_error(life.cluster, "gro", "gro.relay") is None

    assert group_error(life.cluster, "dwp", "exchange-main", next(readable(life)).feed) == "GROUP_AUTHORIZATION_FAILED"
    assert group_error(life.cluster, "dwp", "gro.reader", next(readable(life)).feed) == "GROUP_AUTHORIZATION_FAILED"
    assert group_error(life.cluster, "gro", "exchange-main", "notices.gro") == "GROUP_AUTHORIZATION_FAILED"


def test_a_publisher_sees_how_far_its_own_inboxes_are_decided(life: Life) -> None:
    """The exchange's committed offsets of its own inboxes, and of nobody else's; a subscriber sees none."""
    own, other = Partition("inbox.gro.death-registered", 0), Partition("inbox.nhs-pds.birth-notified", 0)

    assert set(Admin(life.cluster, "gro").group_offsets("exchange-main", [own])) == {own}
    with pytest.raises(Fatal, match="TOPIC_AUTHORIZATION_FAILED"):
        Admin(life.cluster, "gro").group_offsets("exchange-main", [other])
    # A stranger to the group is not even told its coordinator: the client asks until its time is up.
    with pytest.raises((Fatal, Retriable)):
        Admin(life.cluster, "dwp", deadline_seconds=3).group_offsets("exchange-main", [own])


def test_the_monitor_sees_what_the_administrator_sees_and_changes_nothing(running: Running) -> None:
    """It writes to no topic, takes no place in a group, alters nothing, and reads neither nonces nor notices."""
    from tidings.acl import Acl, Operation, Resource
    from tidings.kafka.admin import Admin
    from tidings.kafka.observe import Observer
    from tidings.provisioning.access import MONITOR

    cluster = running.life.cluster
    feed = next(readable(running.life)).feed
    with Observer(cluster, MONITOR) as monitor, Observer(cluster) as administrator:
        seen, all_there_is = monitor.look(), administrator.look()
    assert seen.workers
    assert [replace(seen, at_ms=0), *seen.workers] == [replace(all_there_is, at_ms=0), *all_there_is.workers]

    for topic in ("inbox.gro.death-registered", feed, "notices.gro", *system_topics()):
        # Idempotent, it would be refused before the topic is asked for: it may write to none.
        assert write_error(cluster, MONITOR, topic, **{"enable.idempotence": False}) == DENIED, topic
    assert refused_reads(cluster, MONITOR, [topics.NONCES, "notices.gro"]) == {
        topics.NONCES: DENIED, "notices.gro": DENIED,
    }  # fmt: skip
    for group in ("exchange-main", "dwp.reader", "monitor.first"):
        assert group_error(cluster, MONITOR, group, feed) == "GROUP_AUTHORIZATION_FAILED"
    with pytest.raises(Fatal, match="AUTHORIZATION_FAILED"):
        Admin(cluster, MONITOR).alter_topic(feed, {"retention.ms": "1"})
    with pytest.raises(Fatal, match="AUTHORIZATION_FAILED"):
        Admin(cluster, MONITOR).create_acls([Acl(MONITOR, Operation.READ, Resource.TOPIC, topics.NONCES)])


def test_the_registry_gives_an_agency_its_own_schemas_alone(life: Life) -> None:
    """By id and by subject, with Confluent's own client."""
    own = next(view for view in readable(life) if view.subscriber == "dwp")
    other = next(view for view in readable(life) if view.subscriber == "hmrc")
    client = registry_client(life, "dwp")

    assert own.view_schema["name"] in str(client.get_schema(own.schema_id).schema_str)
    for refused in (
        lambda: client.get_schema(other.schema_id),
        lambda: client.get_latest_version(f"{other.feed}-value"),
    ):
        with pytest.raises(SchemaRegistryError) as raised:
            refused()
        assert raised.value.http_status_code == 403


def test_evolution_is_held_to_every_version(life: Life) -> None:
    """A change that only the version before the last forbids is refused, too, and an inbox's schema by any change of
    a type: FULL_TRANSITIVE."""

    def record(*fields: dict[str, Any]) -> dict[str, Any]:
        return {"type": "record", "name": "Evolving", "namespace": "tidings.test", "fields": list(fields)}

    subject = "feed.example.evolution.v1.x-value"
    inbox = next(each for each in life.policy().inboxes if each.event_type == "death-registered")
    with Registry(life.cluster) as registry:
        registry.register(subject, record({"name": "a", "type": "int", "default": 0}))
        registry.register(subject, record())
        with pytest.raises(Fatal, match="incompatible with a registered version"):
            registry.register(subject, record({"name": "a", "type": "string", "default": ""}))

        spoilt = {**inbox.reader_schema, "fields": [*inbox.reader_schema["fields"], {"name": "new", "type": "int"}]}
        with pytest.raises(Fatal, match="incompatible"):
            registry.register(f"{inbox.topic}-value", spoilt)
