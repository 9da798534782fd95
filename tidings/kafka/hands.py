"""The eyes and hands of an apply: reads what a broker and a registry hold, and makes each kind of change there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

from tidings.acl import Acl
from tidings.clock import Clock, Deadline
from tidings.deployment import CORRECTION_WINDOW, EXCHANGE, group_name
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.cluster import Cluster
from tidings.kafka.genesis import start_partitions
from tidings.kafka.policy_left import what_is_left
from tidings.kafka.policy_store import publish
from tidings.kafka.quotas import Quotas
from tidings.kafka.registry import Registry
from tidings.log import Partition
from tidings.policy.model import Environment, Policy
from tidings.provisioning.access import managed_principals
from tidings.provisioning.changes import started_by
from tidings.provisioning.planning import SchemaIds
from tidings.provisioning.processors import processor_principals
from tidings.provisioning.state import Actual, ActualTopic, Desired, Left, QuotaValues, Schema
from tidings.provisioning.topic_plan import TopicPlan
from tidings.topics import POLICY, is_held

_BUDGET_SECONDS = 60.0
_REGISTRY_THREADS = 8
_PASSWORD_BYTES = 32


@dataclass(frozen=True)
class BrokerHands:
    """Works on `cluster` as the principal of `admin`. Implements `tidings.provisioning.planning.Site`."""

    cluster: Cluster
    admin: Admin
    registry: Registry
    quotas: Quotas
    clock: Clock
    principal: str = "admin"

    @property
    def environment(self) -> Environment:
        """See `Site.environment`."""
        return self.cluster.environment

    @property
    def deployment(self) -> str:
        """See `Site.deployment`."""
        return self.cluster.deployment

    def publish(self, policy: Policy) -> None:
        """See `Site.publish`."""
        publish(self.cluster, self.principal, policy)

    def look(self, desired: Desired, left: Left, ids: SchemaIds) -> Actual:
        """What there is of what `desired` names. Raises Retriable where something does not answer.

        `left` and `ids` are what `policy()` and `schema_ids(desired.schemas)` gave.
        """
        topics = self.admin.describe_topics([plan.name for plan in desired.topics])
        principals = frozenset(self.admin.principals())
        entries = self.admin.acls()
        managed = managed_principals(entries, desired.principals) | processor_principals(entries)
        partitions = [each for each in started_by(desired.policy) if each.topic in topics]
        return Actual(
            policy=left.policy,
            damaged=left.damaged,
            topics={name: ActualTopic(topic.partitions, topic.config) for name, topic in topics.items()},
            access=frozenset(entry for entry in entries if entry.principal in managed),
            schemas={
                subject: tuple(schema for number, schema in enumerate(versions) if (subject, number) in ids)
                for subject, versions in desired.schemas.items()
            },
            quotas=self.quotas.describe(),
            principals=frozenset(name for name in principals & desired.principals if self._has_password(name)),
            started=frozenset(
                started
                for part, mine in _by_part(partitions).items()
                for started in self.admin.group_offsets(group_name(self.cluster.deployment, part), mine)
            ),
        )

    def policy(self) -> Left:
        """See `Site.policy`."""
        if POLICY not in self.admin.topics():
            return Left(None)
        return what_is_left(self.cluster, self.principal, self.environment, self.clock)

    def schema_ids(self, wanted: Mapping[str, Sequence[Schema]]) -> SchemaIds:
        """The registry's id for each (subject, number of the version, from 0) that is registered."""
        asked = [(subject, number, schema) for subject, all_ in wanted.items() for number, schema in enumerate(all_)]
        with ThreadPoolExecutor(_REGISTRY_THREADS) as pool:
            ids = list(pool.map(lambda each: self.registry.lookup(each[0], each[2]), asked))
        return {(subject, number): id_ for (subject, number, _), id_ in zip(asked, ids, strict=True) if id_ is not None}

    def remove_access(self, entries: Sequence[Acl]) -> None:
        """See `Hands.remove_access`."""
        self.admin.delete_acls(entries)

    def add_access(self, entries: Sequence[Acl]) -> None:
        """See `Hands.add_access`."""
        self.admin.create_acls(entries)

    def make_principals(self, names: Sequence[str]) -> None:
        """See `Hands.make_principals`. A password that is there already is given to the broker again."""
        for name in names:
            if not self._has_password(name):
                self._write_password(name)
        self.admin.set_passwords({name: self.cluster.password(name) for name in names})

    def make_topics(self, plans: Sequence[TopicPlan]) -> None:
        """See `Hands.make_topics`."""
        factor = self.cluster.replication_factor
        self.admin.create_topics([Topic(plan.name, plan.partitions, factor, plan.config) for plan in plans])

    def set_topic(self, plan: TopicPlan) -> None:
        """See `Hands.set_topic`."""
        self.admin.alter_topic(plan.name, dict(plan.config))

    def register(self, schemas: Mapping[str, Sequence[Schema]]) -> None:
        """See `Hands.register`. Subjects go side by side: the registry waits for its own log at each."""

        def one(subject: str) -> None:
            for schema in schemas[subject]:
                self.registry.register(subject, schema)

        with ThreadPoolExecutor(_REGISTRY_THREADS) as pool:
            list(pool.map(one, schemas))

    def set_quotas(self, quotas: Mapping[str, QuotaValues]) -> None:
        """See `Hands.set_quotas`."""
        self.quotas.set(quotas)

    def start_inboxes(self, partitions: Sequence[Partition]) -> None:
        """See `Hands.start_inboxes`."""
        deadline = Deadline(self.clock, _BUDGET_SECONDS)
        for part, mine in _by_part(partitions).items():
            start_partitions(self.cluster, self.principal, mine, self.clock, deadline, part)

    def _write_password(self, name: str) -> None:
        """A new password, there as a whole or not at all."""
        path = self.cluster.credentials_dir / f"{name}.password"
        handle, new = mkstemp(dir=path.parent, prefix=f".{name}.")
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_PASSWORD_BYTES))
        Path(new).replace(path)

    def _has_password(self, name: str) -> bool:
        return (self.cluster.credentials_dir / f"{name}.password").exists()


def _by_part(partitions: Sequence[Partition]) -> dict[str, list[Partition]]:
    """Whose group reads which of `partitions`: the correction window what is held, the exchange the inboxes."""
    return {
        EXCHANGE: [each for each in partitions if not is_held(each.topic)],
        CORRECTION_WINDOW: [each for each in partitions if is_held(each.topic)],
    }
