"""Carries out a plan's changes, in their order: what narrows first, then what makes, then what widens, the policy last.

Each step can be repeated: an interrupted apply is finished by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from tidings.acl import Acl
from tidings.log import Partition
from tidings.provisioning.changes import Change, Kind
from tidings.provisioning.state import Desired, QuotaValues, Schema
from tidings.provisioning.topic_plan import TopicPlan


class Hands(Protocol):
    """What does the work: each call is idempotent, and raises Retriable or Fatal as `tidings.kafka.admin` says."""

    def remove_access(self, entries: Sequence[Acl]) -> None:
        """Take entries away."""
        ...

    def add_access(self, entries: Sequence[Acl]) -> None:
        """Put entries in force."""
        ...

    def make_principals(self, names: Sequence[str]) -> None:
        """Give each principal a credential of its own, and keep its password where the cluster's credentials are."""
        ...

    def make_topics(self, plans: Sequence[TopicPlan]) -> None:
        """Create topics, and wait until every broker knows them."""
        ...

    def set_topic(self, plan: TopicPlan) -> None:
        """Set a topic's settings."""
        ...

    def register(self, schemas: Mapping[str, Sequence[Schema]]) -> None:
        """Register each subject's missing versions, oldest first, FULL_TRANSITIVE enforced."""
        ...

    def set_quotas(self, quotas: Mapping[str, QuotaValues]) -> None:
        """Set principals' quotas."""
        ...

    def start_inboxes(self, partitions: Sequence[Partition]) -> None:
        """Commit the start of inbox partitions."""
        ...


Progress = Callable[[str], None]
T = TypeVar("T")


def carry_out(changes: Sequence[Change], desired: Desired, hands: Hands, progress: Progress) -> None:
    """Make every change but that of the policy, which the caller compiles again (schemas have their ids now) and
    publishes. `progress` hears a line before each kind of change. Raises what `hands` raises, at the first failure."""
    for kind in Kind:
        mine = [change for change in changes if change.kind is kind]
        if mine and kind is not Kind.POLICY:
            progress(f"{kind.value} ({len(mine)})")
            _make(kind, mine, desired, hands)


def _make(kind: Kind, changes: list[Change], desired: Desired, hands: Hands) -> None:
    names = list(dict.fromkeys(change.name for change in changes))
    match kind:
        case Kind.ACCESS_REMOVED:
            hands.remove_access(_subjects(changes, Acl))
        case Kind.ACCESS_ADDED:
            hands.add_access(_subjects(changes, Acl))
        case Kind.PRINCIPAL:
            hands.make_principals(names)
        case Kind.TOPIC:
            hands.make_topics(_subjects(changes, TopicPlan))
        case Kind.TOPIC_SETTING:
            for plan in {plan.name: plan for plan in _subjects(changes, TopicPlan)}.values():
                hands.set_topic(plan)
        case Kind.SCHEMA:
            hands.register({name: desired.schemas[name] for name in names})
        case Kind.QUOTA:
            hands.set_quotas({name: desired.quotas[name] for name in names})
        case Kind.START:
            hands.start_inboxes(_subjects(changes, Partition))


def _subjects(changes: Iterable[Change], kind: type[T]) -> list[T]:
    return [change.subject for change in changes if isinstance(change.subject, kind)]
