"""What a derived processor needs of a broker and a registry, as it declared: its topics, schemas and access, no more.

Its principal is `processor-<name>`; no agency's id may begin so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tidings import topics
from tidings.acl import Acl, Operation, Pattern, Resource
from tidings.policy.model import JsonObject
from tidings.provisioning.topic_plan import TopicPlan

PRINCIPAL_PREFIX = "processor-"

_READ = (Operation.READ, Operation.DESCRIBE)
_WRITE = (Operation.WRITE, Operation.DESCRIBE)


@dataclass(frozen=True, slots=True)
class ProcessorNeeds:
    """One processor on a site, filled in from its policy.

    `group` begins with its principal and a dot. `reads` and `writes` are topics' names; `internal` ones it reads and
    writes. `plans` are the topics that are made for it, `schemas` their subjects' schemas by topic. `readers` are
    (agency, topic) that may read what it writes.
    """

    name: str
    group: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    internal: tuple[str, ...]
    plans: tuple[TopicPlan, ...]
    schemas: tuple[tuple[str, JsonObject], ...]
    readers: tuple[tuple[str, str], ...] = ()

    @property
    def principal(self) -> str:
        """Whom the broker knows it as."""
        return principal_of(self.name)

    def access(self) -> frozenset[Acl]:
        """Every entry that the broker should hold for it, and for who reads what it writes."""
        entries: set[Acl] = set()
        for topic in (*self.reads, topics.POLICY, *self.internal):
            entries |= {Acl(self.principal, each, Resource.TOPIC, topic) for each in _READ}
        for topic in (*self.writes, *self.internal):
            entries |= {Acl(self.principal, each, Resource.TOPIC, topic) for each in _WRITE}
        # Its own group, and the names that the client which reads the policy insists on: those are never joined.
        prefix = f"{self.principal}."
        entries |= {Acl(self.principal, each, Resource.GROUP, prefix, Pattern.PREFIXED) for each in _READ}
        for agency, topic in self.readers:
            entries |= {Acl(agency, each, Resource.TOPIC, topic) for each in _READ}
        return frozenset(entries)


def principal_of(name: str) -> str:
    """The principal of a processor."""
    return PRINCIPAL_PREFIX + name


def is_processor(principal: str) -> bool:
    """Whether a principal is a processor's."""
    return principal.startswith(PRINCIPAL_PREFIX)


def processor_principals(entries: Iterable[Acl]) -> frozenset[str]:
    """Every processor that has an entry: one that is no longer declared loses what it had."""
    return frozenset(entry.principal for entry in entries if is_processor(entry.principal))
