"""What has to change so that the broker and the registry hold what the files say: one function a kind of thing.

Nothing is ever deleted that holds data: a topic that no agreement names any more is left to its retention.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tidings.acl import Acl, Pattern
from tidings.log import Partition
from tidings.policy.model import Policy
from tidings.provisioning.state import Actual, Desired, Schema
from tidings.provisioning.topic_plan import TopicPlan


class Kind(StrEnum):
    """What a change is about, in the order in which `tidings apply` makes them."""

    ACCESS_REMOVED = "access removed"
    PRINCIPAL = "principal"
    TOPIC = "topic"
    TOPIC_SETTING = "topic setting"
    SCHEMA = "schema"
    ACCESS_ADDED = "access added"
    QUOTA = "quota"
    START = "start of an inbox"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its kind, the thing's name, and in words what becomes of it. `subject` is the thing itself."""

    kind: Kind
    name: str
    detail: str
    subject: object = None


class Incompatible(Exception):
    """A topic cannot become what the files say: partitions are fixed for a topic's generation."""


def changes_between(desired: Desired, actual: Actual) -> tuple[Change, ...]:
    """Every change, in the order to make them; empty where nothing differs.

    Raises Incompatible where a topic's partition count would have to change.
    """
    found = [
        *_access_removed(desired, actual),
        *_principals(desired, actual),
        *_topics(desired, actual),
        *_topic_settings(desired, actual),
        *_schemas(desired, actual),
        *_access_added(desired, actual),
        *_quotas(desired, actual),
        *_starts(desired, actual),
        *_policy(desired, actual),
    ]
    order = list(Kind)
    return tuple(sorted(found, key=lambda change: (order.index(change.kind), change.name, change.detail)))


def _access_removed(desired: Desired, actual: Actual) -> Iterator[Change]:
    for entry in actual.access - desired.access:
        yield Change(Kind.ACCESS_REMOVED, entry.principal, f"may no longer {_words(entry)}", entry)


def _access_added(desired: Desired, actual: Actual) -> Iterator[Change]:
    for entry in desired.access - actual.access:
        yield Change(Kind.ACCESS_ADDED, entry.principal, f"may {_words(entry)}", entry)


def _words(entry: Acl) -> str:
    pattern = "everything under " if entry.pattern is Pattern.PREFIXED else ""
    return f"{entry.operation} {entry.resource} {pattern}{entry.name}"


def _principals(desired: Desired, actual: Actual) -> Iterator[Change]:
    for principal in desired.principals - actual.principals:
        yield Change(Kind.PRINCIPAL, principal, "gets a SCRAM-SHA-512 credential of its own", principal)


def _topics(desired: Desired, actual: Actual) -> Iterator[Change]:
    for plan in desired.topics:
        if plan.name not in actual.topics:
            partitions = f"{plan.partitions} partition{'s' if plan.partitions > 1 else ''}"
            yield Change(Kind.TOPIC, plan.name, f"is created with {partitions}, {_kept(plan)}", plan)


def _topic_settings(desired: Desired, actual: Actual) -> Iterator[Change]:
    for plan in desired.topics:
        there = actual.topics.get(plan.name)
        if there is None:
            continue
        if there.partitions != plan.partitions:
            raise Incompatible(
                f"{plan.name} has {there.partitions} partitions and should have {plan.partitions}: "
                "they are fixed for a topic's generation; begin a new version of the agreement or the event type"
            )
        for setting, value in sorted(plan.config.items()):
            if there.config.get(setting) != value:
                was = there.config.get(setting, "the broker's default")
                yield Change(Kind.TOPIC_SETTING, plan.name, f"{setting}: {was} becomes {value}", plan)


def _kept(plan: TopicPlan) -> str:
    if plan.config["cleanup.policy"] == "compact":
        return "compacted"
    retention_ms = int(plan.config["retention.ms"])
    return "kept for ever" if retention_ms < 0 else f"kept {retention_ms // 86_400_000} days"


def missing_versions(desired: tuple[Schema, ...], actual: tuple[Schema, ...]) -> tuple[Schema, ...]:
    """The versions of one subject that are still to be registered, oldest first."""
    return tuple(schema for schema in desired if schema not in actual)


def _schemas(desired: Desired, actual: Actual) -> Iterator[Change]:
    for subject, versions in desired.schemas.items():
        there = actual.schemas.get(subject, ())
        missing = missing_versions(versions, there)
        if missing:
            what = "is registered" if not there else "gets a new version"
            yield Change(Kind.SCHEMA, subject, f"{what} ({len(there) + len(missing)} in all)", subject)


def _quotas(desired: Desired, actual: Actual) -> Iterator[Change]:
    for principal, quota in desired.quotas.items():
        if dict(actual.quotas.get(principal, {})) != dict(quota):
            words = ", ".join(f"{name} {value}" for name, value in sorted(quota.items()))
            yield Change(Kind.QUOTA, principal, f"is given {words}", principal)


def _starts(desired: Desired, actual: Actual) -> Iterator[Change]:
    for partition in started_by(desired.policy):
        if partition not in actual.started:
            detail = f"partition {partition.partition} is read from its first event"
            yield Change(Kind.START, partition.topic, detail, partition)


def started_by(policy: Policy) -> list[Partition]:
    """Every partition that the exchange or the correction window reads: each needs a first committed offset."""
    counts = {inbox.topic: inbox.partitions for inbox in policy.inboxes}
    held = {view.written_to: counts[view.inbox] for view in policy.views if view.hold_seconds is not None}
    return [Partition(topic, number) for topic, count in (counts | held).items() for number in range(count)]


def _policy(desired: Desired, actual: Actual) -> Iterator[Change]:
    there = actual.policy
    if there is None:
        yield Change(Kind.POLICY, "policy", f"version {desired.policy.version} is the first", desired.policy)
    elif actual.damaged:
        stopped = "; everything is stopped until `tidings stop all --lift`" if "all" in there.stops else ""
        detail = f"version {there.version} is damaged ({actual.damaged}): {desired.policy.version} mends it{stopped}"
        yield Change(Kind.POLICY, "policy", detail, desired.policy)
    elif not same_content(desired, actual):
        detail = f"version {there.version} becomes {desired.policy.version}"
        yield Change(Kind.POLICY, "policy", detail, desired.policy)


def same_content(desired: Desired, actual: Actual) -> bool:
    """Whether the policy in force says what the files say: all but its version, hash, date and the registry's ids of
    schemas that are not registered yet."""
    if actual.policy is None:
        return False
    ignored = {"version", "hash", "created_at_ms"}
    return desired.policy.model_dump(exclude=ignored) == actual.policy.model_dump(exclude=ignored)
