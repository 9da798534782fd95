"""Administration on a real broker: every call does what it says, and can be repeated."""

from __future__ import annotations

import pytest

from tests.tidings.kafka.kit import Deployed
from tidings.acl import Acl, Operation, Pattern, Resource
from tidings.clock import Deadline, SystemClock
from tidings.decisions import GENESIS
from tidings.deployment import group_name
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.genesis import start_partitions
from tidings.log import Partition

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def admin(broker):
    """The administrator."""
    return Admin(broker)


def test_topic_is_made_changed_described_and_deleted(admin):
    """A topic's own settings are described, one goes back to its default, and repeats are no error."""
    admin.create_topics([Topic("t.a", 2, 1, {"retention.ms": "1000000"})])
    admin.create_topics([Topic("t.a", 2, 1)])
    assert admin.describe_topics(["t.a", "none"]) == {"t.a": Topic("t.a", 2, 1, {"retention.ms": "1000000"})}

    admin.alter_topic("t.a", {"retention.ms": None, "segment.ms": "60000"})
    assert admin.describe_topics(["t.a"])["t.a"].config == {"segment.ms": "60000"}

    admin.delete_topics(["t.a"])
    admin.delete_topics(["t.a"])
    assert "t.a" not in admin.topics()


def test_acls_are_exactly_those_made(admin):
    """Every kind of rule comes back as it was made; one is taken away alone; repeats are no error."""
    feed = Acl("reader-x", Operation.READ, Resource.TOPIC, "feed.dwp.", Pattern.PREFIXED)
    cluster = Acl("writer-x", Operation.IDEMPOTENT_WRITE, Resource.CLUSTER, "kafka-cluster")
    writer = Acl("writer-x", Operation.WRITE, Resource.TRANSACTIONAL_ID, "exchange-", Pattern.PREFIXED)

    def ours():
        return {entry for entry in admin.acls() if entry.principal in {"reader-x", "writer-x"}}

    admin.create_acls([feed, cluster, writer])
    admin.create_acls([feed])
    assert ours() == {feed, cluster, writer}

    admin.delete_acls([feed])
    admin.delete_acls([feed])
    assert ours() == {cluster, writer}


def test_an_inbox_starts_at_zero_and_says_so(admin, broker):
    """`genesis` is committed for the partitions that are named, and only those are told to have an offset."""
    admin.create_topics([Topic("t.offsets", 2, 1)])
    first, second = Partition("t.offsets", 0), Partition("t.offsets", 1)
    deployed = Deployed(broker, "starts")
    group = group_name("starts")
    clock = SystemClock()
    assert admin.group_offsets(group, [first, second]) == {}

    start_partitions(deployed, "admin", [first], clock, Deadline(clock, 30))
    assert admin.group_offsets(group, [first, second]) == {first: (0, GENESIS)}
    start_partitions(deployed, "admin", [second], clock, Deadline(clock, 30))
    assert admin.group_offsets(group, [first, second]) == {first: (0, GENESIS), second: (0, GENESIS)}


def test_password_makes_a_principal(admin):
    """A principal has a credential once its password is set."""
    admin.set_password("throwaway-x", "throwaway")

    assert "throwaway-x" in admin.principals()
