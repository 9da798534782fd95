"""The two sides of a plan: what there should be, and what a broker and a registry hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tidings.acl import Acl
from tidings.log import Partition
from tidings.policy.model import Policy
from tidings.provisioning.topic_plan import TopicPlan

Schema = dict[str, Any]
QuotaValues = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Desired:
    """What the files say. `schemas` maps a subject to its versions, oldest first; `quotas` is by principal, with
    Kafka's names (`producer_byte_rate`, `consumer_byte_rate` in bytes a second, `request_percentage` in percent)."""

    policy: Policy
    topics: tuple[TopicPlan, ...]
    access: frozenset[Acl]
    schemas: Mapping[str, tuple[Schema, ...]]
    quotas: Mapping[str, QuotaValues]
    principals: frozenset[str]


@dataclass(frozen=True, slots=True)
class ActualTopic:
    """A topic as the broker has it; `config` holds the settings that were set on it, as Kafka writes them."""

    partitions: int
    config: Mapping[str, str]


class Left(NamedTuple):
    """`policy` is the one in force or, where `damaged` says what is wrong, what the next one is to be made from: its
    version is then the newest that was ever announced. None where no policy was ever published."""

    policy: Policy | None
    damaged: str = ""


@dataclass(frozen=True, slots=True)
class Actual:
    """What the broker and the registry hold of what Tidings manages.

    `access` has only the entries of managed principals. `schemas` maps a subject to its registered versions, oldest
    first, as parsed JSON. `started` holds the inbox partitions for which the exchange's group has a committed offset.
    `damaged` says what is wrong with the policy's records, where no worker can load it: `policy` is then what is left.
    """

    policy: Policy | None = None
    damaged: str = ""
    topics: Mapping[str, ActualTopic] = field(default_factory=dict)
    access: frozenset[Acl] = frozenset()
    schemas: Mapping[str, tuple[Schema, ...]] = field(default_factory=dict)
    quotas: Mapping[str, QuotaValues] = field(default_factory=dict)
    principals: frozenset[str] = frozenset()
    started: frozenset[Partition] = frozenset()
