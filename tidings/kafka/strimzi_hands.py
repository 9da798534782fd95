"""Hands for a cluster whose principals, topics and quotas Strimzi's operators make, from KafkaUser and KafkaTopic.

What they make is read from the broker like everything else; what is missing is not made twice, but named, with what to
do. Access rules, schemas, the start of inboxes and the policy are made as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tidings.errors import Fatal
from tidings.kafka.hands import BrokerHands
from tidings.provisioning.planning import SchemaIds
from tidings.provisioning.state import Actual, Desired, Left, QuotaValues
from tidings.provisioning.topic_plan import TopicPlan

_NAMED = 5


class StrimziHands(BrokerHands):
    """As `BrokerHands`, but for what Strimzi holds. Implements `tidings.provisioning.planning.Site`."""

    def look(self, desired: Desired, left: Left, ids: SchemaIds) -> Actual:
        """See `BrokerHands.look`. A principal is there once the broker knows it: its password is a Secret elsewhere."""
        actual = super().look(desired, left, ids)
        return replace(actual, principals=desired.principals & frozenset(self.admin.principals()))

    def make_principals(self, names: Sequence[str]) -> None:
        """Raises Fatal: a KafkaUser makes them."""
        _refuse("KafkaUser", "principals", names)

    def make_topics(self, plans: Sequence[TopicPlan]) -> None:
        """Raises Fatal: a KafkaTopic makes them."""
        _refuse("KafkaTopic", "topics", (plan.name for plan in plans))

    def set_topic(self, plan: TopicPlan) -> None:
        """Raises Fatal: a KafkaTopic sets it."""
        _refuse("KafkaTopic", "settings of topics", (plan.name,))

    def set_quotas(self, quotas: Mapping[str, QuotaValues]) -> None:
        """Raises Fatal: a KafkaUser sets them."""
        _refuse("KafkaUser", "quotas", quotas)


def _refuse(kind: str, what: str, names: Iterable[str]) -> None:
    missing = sorted(names)
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    raise Fatal(
        f"{what} are not there yet, and Strimzi makes them: {', '.join(missing[:_NAMED])}{more}. Write the manifests "
        f"(`tidings deploy kubernetes FOLDER`), apply them, wait until every {kind} is Ready, and try again"
    )
