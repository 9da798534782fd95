"""The difference between what there should be and what there is, kind by kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tidings.provisioning.kit import TODAY, inbox, policy, view
from tidings.acl import Acl, Operation, Resource
from tidings.log import Partition
from tidings.provisioning.access import access_of
from tidings.provisioning.changes import Incompatible, Kind, changes_between, started_by
from tidings.provisioning.state import Actual, ActualTopic, Desired
from tidings.provisioning.stops import everything_stopped
from tidings.provisioning.topic_plan import topics_of

FEED = "feed.dwp.benefits.v1.death-registered"
OLD, NEW = {"type": "record", "name": "Old"}, {"type": "record", "name": "New"}


def desired(version: int = 1) -> Desired:
    """What a policy of one inbox and one view needs."""
    made = policy(inbox(), view(), version=version)
    return Desired(
        policy=made,
        topics=topics_of(made, {"death-registered": 14}, {("benefits", 1): 90}),
        access=access_of(made, ("dwp", "gro"), TODAY, "main"),
        schemas={f"{FEED}-value": (OLD, NEW)},
        quotas={"dwp": {"consumer_byte_rate": 5}},
        principals=frozenset({"dwp", "gro", "exchange"}),
    )


def reached(want: Desired) -> Actual:
    """The state in which nothing is left to do."""
    return Actual(
        policy=want.policy,
        topics={each.name: ActualTopic(each.partitions, each.config) for each in want.topics},
        access=want.access,
        schemas=want.schemas,
        quotas=want.quotas,
        principals=want.principals,
        started=frozenset(Partition("inbox.gro.death-registered", number) for number in range(2)),
    )


def test_nothing_is_due_where_all_is_there() -> None:
    """The next version number alone is no change, nor is what the broker has beside it."""
    there = reached(desired())
    more = replace(there, quotas={**there.quotas, "other": {"producer_byte_rate": 1}})

    assert changes_between(desired(version=2), more) == ()


def test_a_damaged_policy_is_published_again_though_it_says_the_same() -> None:
    """The change names the damage and, where that is so, that everything is stopped."""
    there = replace(reached(desired()), damaged="its manifest cannot be read")
    lost = replace(there, policy=everything_stopped(desired().policy))

    [mended], [stopped] = changes_between(desired(version=2), there), changes_between(desired(version=2), lost)

    assert (mended.kind, stopped.kind) == (Kind.POLICY, Kind.POLICY)
    assert mended.detail == "version 1 is damaged (its manifest cannot be read): 2 mends it"
    assert stopped.detail.endswith("everything is stopped until `tidings stop all --lift`")


def test_on_an_empty_broker_everything_is_due_in_order() -> None:
    """Each kind comes, access after what it is for, the policy last."""
    kinds = [change.kind for change in changes_between(desired(), Actual())]

    assert list(dict.fromkeys(kinds)) == [
        Kind.PRINCIPAL, Kind.TOPIC, Kind.SCHEMA, Kind.ACCESS_ADDED, Kind.QUOTA, Kind.START, Kind.POLICY,
    ]  # fmt: skip
    assert kinds[-1] is Kind.POLICY


def test_access_that_nobody_gave_is_taken_away_first() -> None:
    """An entry by hand is a change, and stands before all others."""
    extra = Acl("dwp", Operation.READ, Resource.TOPIC, "inbox.gro.death-registered")
    there = reached(desired())

    [change] = changes_between(desired(), replace(there, access=there.access | {extra}))

    assert (change.kind, change.name) == (Kind.ACCESS_REMOVED, "dwp")
    assert change.detail == "may no longer read topic inbox.gro.death-registered"
    assert next(iter(Kind)) is Kind.ACCESS_REMOVED


def test_only_missing_schema_versions_are_due() -> None:
    """One version is there: the subject gets a new one."""
    [change] = changes_between(desired(), replace(reached(desired()), schemas={f"{FEED}-value": (OLD,)}))

    assert (change.kind, change.detail) == (Kind.SCHEMA, "gets a new version (2 in all)")


def test_a_setting_changed_by_hand_is_set_again() -> None:
    """What a topic says otherwise is named with both values."""
    there = reached(desired())
    config = {**there.topics[FEED].config, "retention.ms": "1"}

    [change] = changes_between(desired(), replace(there, topics={**there.topics, FEED: ActualTopic(2, config)}))

    assert (change.kind, change.name) == (Kind.TOPIC_SETTING, FEED)
    assert change.detail == "retention.ms: 1 becomes 7776000000"


def test_another_number_of_partitions_is_refused() -> None:
    """They are fixed for a topic's generation: order per subject would break."""
    there = reached(desired())
    topics = {**there.topics, FEED: ActualTopic(3, there.topics[FEED].config)}

    with pytest.raises(Incompatible, match="has 3 partitions and should have 2"):
        changes_between(desired(), replace(there, topics=topics))


def test_a_partition_that_was_started_is_never_started_again() -> None:
    """Starting would rewind it: only the one without an offset is due."""
    first = Partition("inbox.gro.death-registered", 0)

    [change] = changes_between(desired(), replace(reached(desired()), started=frozenset({first})))

    assert (change.kind, change.subject) == (Kind.START, Partition("inbox.gro.death-registered", 1))


def test_a_quota_that_went_is_given_again() -> None:
    """A principal's quotas are compared as a whole."""
    there = reached(desired())

    [change] = changes_between(
        desired(), replace(there, quotas={"dwp": {"consumer_byte_rate": 5, "producer_byte_rate": 1}})
    )

    assert (change.kind, change.detail) == (Kind.QUOTA, "is given consumer_byte_rate 5")


def test_what_is_held_has_a_start() -> None:
    """Each partition of a topic where views wait, as of an inbox: the correction window never starts silently."""
    held = view(hold_seconds=60)

    assert started_by(policy(inbox(), held)) == [
        Partition(topic, number) for topic in ("inbox.gro.death-registered", held.written_to) for number in range(2)
    ]
