"""The topics that there should be: retention, segment roll, sizes."""

from __future__ import annotations

import pytest

from tests.tidings.provisioning.kit import inbox, policy, view
from tidings.decisions import PART_BYTES
from tidings.provisioning.topic_plan import TopicPlan, topics_of

DAY_MS = 86_400_000
CLEAR = ("inbox.", "feed.", "notices.", "quarantine")


def plans(days: int = 14, feed_days: int = 90) -> dict[str, TopicPlan]:
    """The topics of a policy of one inbox and one view, by name."""
    made = policy(inbox(), view())
    return {each.name: each for each in topics_of(made, {"death-registered": days}, {("benefits", 1): feed_days})}


def test_every_topic_is_there_once() -> None:
    """Inbox, feed, notices of each publisher, and the exchange's own."""
    assert list(plans()) == [
        "exchange.decisions", "exchange.nonces", "exchange.policy", "exchange.replays",
        "feed.dwp.benefits.v1.death-registered", "inbox.gro.death-registered", "notices.gro", "quarantine",
    ]  # fmt: skip


@pytest.mark.parametrize("days", [1, 2, 14, 90, 3_650])
def test_segments_roll_within_a_tenth_of_the_retention(days: int) -> None:
    """What must be gone after so many days is gone at most a tenth later, in every topic that holds clear values."""
    for name, plan in plans(days, days).items():
        if name.startswith(CLEAR):
            assert int(plan.config["retention.ms"]) > 0
            assert int(plan.config["segment.ms"]) * 10 <= int(plan.config["retention.ms"])


def test_retention_is_the_catalogues_and_the_agreements() -> None:
    """The inbox keeps by its event type, the feed by its agreement."""
    made = plans(days=14, feed_days=90)

    assert made["inbox.gro.death-registered"].config["retention.ms"] == str(14 * DAY_MS)
    assert made["feed.dwp.benefits.v1.death-registered"].config["retention.ms"] == str(90 * DAY_MS)


def test_each_version_keeps_its_own_retention() -> None:
    """A new version of an agreement does not change how long the feed of the one before is kept."""
    made = policy(inbox(), view(), view(agreement_version=2))
    found = topics_of(made, {"death-registered": 14}, {("benefits", 1): 10, ("benefits", 2): 20})

    assert [each.config["retention.ms"] for each in found if each.name.startswith("feed.")] == [
        str(10 * DAY_MS),
        str(20 * DAY_MS),
    ]


def test_an_inbox_takes_less_than_a_feed() -> None:
    """A view may be larger than its event, so whatever an inbox took fits the feed."""
    made = plans()
    inbox_bytes = int(made["inbox.gro.death-registered"].config["max.message.bytes"])

    assert inbox_bytes < int(made["feed.dwp.benefits.v1.death-registered"].config["max.message.bytes"])
    assert inbox_bytes == int(made["exchange.replays"].config["max.message.bytes"])


def test_a_part_of_a_block_fits_its_topic() -> None:
    """Parts are of at most 900 kB, since a broker weighs a batch of records as one message."""
    limit = int(plans()["exchange.decisions"].config["max.message.bytes"])

    assert PART_BYTES == 900_000 < limit - 100_000


def test_time_is_the_brokers_everywhere() -> None:
    """Kafka's timestamp carries nothing of the source."""
    assert {plan.config["message.timestamp.type"] for plan in plans().values()} == {"LogAppendTime"}


def test_evidence_is_kept_and_state_compacted() -> None:
    """Decisions have no end; policy and nonces keep the last value of each key."""
    made = plans()

    assert made["exchange.decisions"].config["retention.ms"] == "-1"
    assert [made[name].config["cleanup.policy"] for name in ("exchange.policy", "exchange.nonces")] == ["compact"] * 2


def test_a_feed_has_its_inboxs_partitions() -> None:
    """Feed partition = inbox partition, so there are as many."""
    assert plans()["feed.dwp.benefits.v1.death-registered"].partitions == 2


def test_what_is_held_has_its_topic_and_its_evidence() -> None:
    """As many partitions as the feed, gone after a week's hold and a week's outage; releases are kept for ever."""
    made = policy(inbox(), view(hold_seconds=3_600))
    found = {each.name: each for each in topics_of(made, {"death-registered": 14}, {("benefits", 1): 90})}
    held = found["held.dwp.benefits.v1.death-registered"]

    assert (held.partitions, held.config["retention.ms"]) == (2, str(14 * DAY_MS))
    assert int(held.config["segment.ms"]) * 10 <= int(held.config["retention.ms"])
    assert found["exchange.releases"].config["retention.ms"] == "-1"
