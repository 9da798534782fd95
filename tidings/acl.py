"""One access rule, in our words: always an allowance, always from any host; what no rule allows is refused."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Resource(StrEnum):
    """What a rule is about."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"
    CLUSTER = "cluster"


class Pattern(StrEnum):
    """How the name is meant: the whole name, or its beginning (which ends in a dot or hyphen, never inside an id)."""

    LITERAL = "literal"
    PREFIXED = "prefixed"


class Operation(StrEnum):
    """What is allowed."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"
    DELETE = "delete"
    ALTER = "alter"
    DESCRIBE = "describe"
    DESCRIBE_CONFIGS = "describe-configs"
    ALTER_CONFIGS = "alter-configs"
    IDEMPOTENT_WRITE = "idempotent-write"
    CLUSTER_ACTION = "cluster-action"
    ALL = "all"


class Acl(NamedTuple):
    """`principal` (without `User:`) may do `operation` on the resource of that name."""

    principal: str
    operation: Operation
    resource: Resource
    name: str
    pattern: Pattern = Pattern.LITERAL
