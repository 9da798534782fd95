"""Who may do what on the broker, compiled from the policy and today's date: the agreement is the only source of access.

Default deny: what is not in this list is refused. Prefixed patterns end in a dot (or, for transactional ids, in a
hyphen), so that `gro` never covers `gro-test`.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, NamedTuple

from tidings import topics
from tidings.policy.model import Policy, View

EXCHANGE = "exchange"

Resource = Literal["TOPIC", "GROUP", "TRANSACTIONAL_ID", "CLUSTER"]
Pattern = Literal["LITERAL", "PREFIXED"]
Operation = Literal["READ", "WRITE", "DESCRIBE"]


class Access(NamedTuple):
    """One ALLOW entry for one principal (without `User:`), from any host.

    Source: Kafka 4.3 documentation, "Authorization and ACLs".
    """

    principal: str
    resource: Resource
    pattern: Pattern
    name: str
    operation: Operation


def exchange_group(deployment: str) -> str:
    """The consumer group of a deployment's workers; their transactional ids begin with it and a hyphen."""
    return f"exchange-{deployment}"


def access_of(policy: Policy, agencies: tuple[str, ...], today: date, deployment: str) -> frozenset[Access]:
    """Every entry that the broker should hold for the exchange and for `agencies`, and no other."""
    entries = set(_exchange(deployment))
    for agency in agencies:
        entries |= _any(agency, "GROUP", "PREFIXED", f"{agency}.", "READ", "DESCRIBE")
    for inbox in policy.inboxes:
        if not inbox.stopped:
            entries |= _any(inbox.agency, "TOPIC", "LITERAL", inbox.topic, "WRITE", "DESCRIBE")
            entries |= _any(inbox.agency, "TRANSACTIONAL_ID", "PREFIXED", f"{inbox.agency}.", "WRITE", "DESCRIBE")
        entries |= _any(inbox.agency, "TOPIC", "LITERAL", topics.notices(inbox.agency), "READ", "DESCRIBE")
    for view in policy.views:
        if may_read(view, today):
            entries |= _any(view.subscriber, "TOPIC", "LITERAL", view.feed, "READ", "DESCRIBE")
    return frozenset(entries)


def may_read(view: View, today: date) -> bool:
    """Whether a view's subscriber may read its feed on a UTC day: from its first day to its last; after that only where
    corrections still come. A stopped agreement may not."""
    if view.stopped or today < view.valid_from:
        return False
    return today <= view.valid_until or view.after_end == "corrections"


def next_access_change(policy: Policy, today: date) -> date | None:
    """The next UTC day on which `access_of` will differ by itself, or None: what `tidings run policy` waits for."""
    days = {view.valid_from for view in policy.views if not view.stopped}
    days |= {
        view.valid_until + timedelta(days=1)
        for view in policy.views
        if not view.stopped and view.after_end == "nothing"
    }
    return min((day for day in days if day > today), default=None)


def _exchange(deployment: str) -> set[Access]:
    group = exchange_group(deployment)
    entries = _any(EXCHANGE, "TOPIC", "PREFIXED", "inbox.", "READ", "DESCRIBE")
    for prefix in ("feed.", "notices."):
        entries |= _any(EXCHANGE, "TOPIC", "PREFIXED", prefix, "WRITE", "DESCRIBE")
    for topic in (topics.DECISIONS, topics.NONCES, topics.QUARANTINE):
        entries |= _any(EXCHANGE, "TOPIC", "LITERAL", topic, "READ", "WRITE", "DESCRIBE")
    for topic in (topics.POLICY, topics.REPLAYS):
        entries |= _any(EXCHANGE, "TOPIC", "LITERAL", topic, "READ", "DESCRIBE")
    entries |= _any(EXCHANGE, "GROUP", "LITERAL", group, "READ", "DESCRIBE")
    entries |= _any(EXCHANGE, "TRANSACTIONAL_ID", "PREFIXED", f"{group}-", "WRITE", "DESCRIBE")
    return entries


def _any(principal: str, resource: Resource, pattern: Pattern, name: str, *operations: Operation) -> set[Access]:
    return {Access(principal, resource, pattern, name, operation) for operation in operations}
