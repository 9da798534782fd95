"""Fills a declaration in from a policy: the topics, schemas and access that a processor has on one site."""

from __future__ import annotations

from collections.abc import Iterable

from stream_processors.host.declaration import FEED, PUBLISHER, SUBSCRIBER, TIME_TABLE, Processor, Reads, Writes
from tidings import topics
from tidings.policy.model import Policy, View, linkage_keys
from tidings.provisioning.processors import ProcessorNeeds, principal_of
from tidings.provisioning.topic_plan import TopicPlan, changelog, kept, latest
from tidings.quarantine import QUARANTINE_SCHEMA
from tidings.retention import QUARANTINE_DAYS

WORK_DAYS = 7


def work_topic(processor: Processor) -> str:
    """Where a processor's parts are brought together by key."""
    return topics.processor(processor.name, f"v{processor.version}", "work")


def changelog_topic(processor: Processor, table: str) -> str:
    """Where a table's changes are kept."""
    return topics.processor(processor.name, f"v{processor.version}", "table", table)


def quarantine_topic(processor: Processor) -> str:
    """Where a processor says on which events it failed."""
    return topics.processor(processor.name, "quarantine")


def group_of(processor: Processor) -> str:
    """Its consumer group; a new version begins at the start of what it reads."""
    return f"{principal_of(processor.name)}.v{processor.version}"


def fill(name: str, policy: Policy, linkage: str | None = None) -> tuple[str, ...]:
    """The topics that a declared name stands for; `linkage` is the processor's."""
    if name == FEED:
        return tuple(sorted(view.feed for view in _views(policy, linkage)))
    if PUBLISHER in name:
        return tuple(name.replace(PUBLISHER, agency) for agency in publishers(policy))
    if SUBSCRIBER in name:
        return tuple(name.replace(SUBSCRIBER, agency) for agency in subscribers(policy, linkage))
    return (name,)


def publishers(policy: Policy) -> tuple[str, ...]:
    """Every agency with an inbox."""
    return tuple(sorted({inbox.agency for inbox in policy.inboxes}))


def subscribers(policy: Policy, linkage: str | None = None) -> tuple[str, ...]:
    """Every agency with a feed, of the linkage group where one is named."""
    return tuple(sorted({view.subscriber for view in _views(policy, linkage)}))


def _views(policy: Policy, linkage: str | None) -> Iterable[View]:
    return (view for view in policy.views if linkage is None or view.key_group == linkage_keys(linkage))


def reads_of(processor: Processor, policy: Policy) -> dict[str, Reads]:
    """Each topic read, and how it was declared."""
    return {topic: each for each in processor.reads for topic in fill(each.topic, policy, processor.linkage)}


def writes_of(processor: Processor, policy: Policy) -> dict[str, Writes]:
    """Each topic written, and how it was declared."""
    return {topic: each for each in processor.writes for topic in fill(each.topic, policy, processor.linkage)}


def needs_of(processor: Processor, policy: Policy) -> ProcessorNeeds:
    """What `processor` needs where `policy` is in force. Raises ValueError where a name is not an id."""
    writes = writes_of(processor, policy)
    work = work_topic(processor)
    tables = tuple(changelog_topic(processor, table) for table in (*(t.name for t in processor.tables), TIME_TABLE))
    plans = [
        TopicPlan(work, processor.partitions, kept(WORK_DAYS)),
        TopicPlan(quarantine_topic(processor), 1, kept(QUARANTINE_DAYS)),
        *(TopicPlan(topic, processor.partitions, changelog()) for topic in tables),
        *(TopicPlan(topic, 1, latest(each.retention_days)) for topic, each in writes.items()),
    ]
    schemas = [(quarantine_topic(processor), QUARANTINE_SCHEMA), *((t, each.schema) for t, each in writes.items())]
    return ProcessorNeeds(
        name=processor.name,
        group=group_of(processor),
        reads=tuple(reads_of(processor, policy)),
        writes=(quarantine_topic(processor), *writes),
        internal=(work, *tables),
        plans=tuple(plans),
        schemas=tuple(schemas),
        readers=tuple(_readers(processor, policy)),
    )


def _readers(processor: Processor, policy: Policy) -> Iterable[tuple[str, str]]:
    for each in processor.writes:
        if PUBLISHER in each.topic:
            for agency in publishers(policy):
                yield agency, each.topic.replace(PUBLISHER, agency)
        elif SUBSCRIBER in each.topic:
            for agency in subscribers(policy, processor.linkage):
                yield agency, each.topic.replace(SUBSCRIBER, agency)
