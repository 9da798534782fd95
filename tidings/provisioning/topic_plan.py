"""Which topics there should be, with their partitions and settings, compiled from the catalogue and the agreements.

Every topic that holds clear values has a retention, and a segment roll of at most a tenth of it, so that what has to go
goes on time. Source of the settings' names: Kafka 4.3 documentation, "Topic Configs".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tidings import topics
from tidings.policy.model import Policy
from tidings.retention import QUARANTINE_DAYS

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
INBOX_MESSAGE_MAX_BYTES = 262_144
FEED_MESSAGE_MAX_BYTES = 1_048_576
DECISION_PARTITIONS = 8
NOTICE_RETENTION_DAYS = 30
HELD_RETENTION_DAYS = 14
"""Of a topic where views wait: a week, the longest hold there is, and a week's outage of the correction window."""


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """One topic as it should be. `config` holds only the settings that Tidings decides, as Kafka writes them."""

    name: str
    partitions: int
    config: Mapping[str, str]


def topics_of(
    policy: Policy, inbox_retention_days: Mapping[str, int], feed_retention_days: Mapping[tuple[str, int], int]
) -> tuple[TopicPlan, ...]:
    """Every topic of the exchange, by name.

    `inbox_retention_days` is by event type, `feed_retention_days` by agreement and version. Raises KeyError where one
    is missing.
    """
    partitions = {inbox.topic: inbox.partitions for inbox in policy.inboxes}
    plans = [
        TopicPlan(inbox.topic, inbox.partitions, _kept(inbox_retention_days[inbox.event_type], INBOX_MESSAGE_MAX_BYTES))
        for inbox in policy.inboxes
    ]
    plans += [
        TopicPlan(
            view.feed,
            partitions[view.inbox],
            _kept(feed_retention_days[view.agreement, view.agreement_version], FEED_MESSAGE_MAX_BYTES),
        )
        for view in policy.views
    ]
    plans += [
        TopicPlan(topics.notices(agency), 1, _kept(NOTICE_RETENTION_DAYS, FEED_MESSAGE_MAX_BYTES))
        for agency in sorted({inbox.agency for inbox in policy.inboxes})
    ]
    held = [view for view in policy.views if view.hold_seconds is not None]
    plans += [
        TopicPlan(view.written_to, partitions[view.inbox], _kept(HELD_RETENTION_DAYS, FEED_MESSAGE_MAX_BYTES))
        for view in held
    ]
    if held:
        evidence = {**_base(FEED_MESSAGE_MAX_BYTES), "retention.ms": "-1"}
        plans.append(TopicPlan(topics.RELEASES, DECISION_PARTITIONS, evidence))
    plans += [
        TopicPlan(topics.POLICY, 1, _compacted()),
        TopicPlan(topics.DECISIONS, DECISION_PARTITIONS, {**_base(FEED_MESSAGE_MAX_BYTES), "retention.ms": "-1"}),
        TopicPlan(topics.NONCES, DECISION_PARTITIONS, _compacted()),
        TopicPlan(topics.QUARANTINE, 1, _kept(QUARANTINE_DAYS, FEED_MESSAGE_MAX_BYTES)),
        # Who asked for which replay is known for ever: that is what keeps a second request from being answered.
        TopicPlan(topics.REPLAYS, 1, {**_base(INBOX_MESSAGE_MAX_BYTES), "retention.ms": "-1"}),
    ]
    return tuple(sorted(plans, key=lambda plan: plan.name))


def kept(days: int) -> dict[str, str]:
    """The settings of a topic whose records go after `days`."""
    return _kept(days, FEED_MESSAGE_MAX_BYTES)


def latest(days: int) -> dict[str, str]:
    """The settings of a topic of which the newest record under each key counts, and goes after `days` without one."""
    return {**kept(days), "cleanup.policy": "compact,delete"}


def changelog() -> dict[str, str]:
    """The settings of a table's changelog: the newest record under each key stays."""
    return _compacted()


def _base(message_max_bytes: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "max.message.bytes": str(message_max_bytes),
        "message.timestamp.type": "LogAppendTime",
    }


def _kept(days: int, message_max_bytes: int) -> dict[str, str]:
    retention_ms = days * _DAY_MS
    roll_ms = max(_HOUR_MS, min(retention_ms // 10, 7 * _DAY_MS))
    return {**_base(message_max_bytes), "retention.ms": str(retention_ms), "segment.ms": str(roll_ms)}


def _compacted() -> dict[str, str]:
    return {**_base(FEED_MESSAGE_MAX_BYTES), "cleanup.policy": "compact"}
