"""What is left of a policy whose last records are damaged: what `tidings apply` mends it from.

A worker stops at a damaged policy. Whoever mends it needs the number to go on from and what was stopped. Where the
newest version is whole and only its manifest is not, that version says both. Where it is not whole, what it had stopped
is lost with it: an older version is taken, with everything stopped until an operator lifts that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tidings.clock import Clock, SystemClock
from tidings.errors import Fatal
from tidings.kafka.clients import ClientSettings
from tidings.kafka.policy_store import PolicyReader, announced_version, policy_records
from tidings.kafka.policy_versions import whole_policy
from tidings.policy.model import Environment, Policy
from tidings.provisioning.state import Left
from tidings.provisioning.stops import everything_stopped


def what_is_left(cluster: ClientSettings, principal: str, environment: Environment, clock: Clock | None = None) -> Left:
    """The policy in force, or what is left of it. Raises Retriable where the broker stays silent."""
    clock = clock or SystemClock()
    with PolicyReader(cluster, principal, clock) as reader:
        try:
            return Left(reader.read())
        except Fatal as failure:
            damaged = str(failure)
    return Left(_newest_whole(policy_records(cluster, principal, clock), environment), damaged)


def _newest_whole(records: Mapping[bytes, bytes], environment: Environment) -> Policy:
    parts: dict[int, dict[int, bytes]] = defaultdict(dict)
    newest = 0
    for key, value in records.items():
        version = announced_version(key, value)
        newest = max(newest, version)
        part = key.partition(b"/")[2]
        if part.isdigit():
            parts[version][int(part)] = value
    for version in sorted(parts, reverse=True):
        try:
            policy = whole_policy(version, parts[version])
        except Fatal:
            continue
        if policy.version == newest:
            return policy
        return everything_stopped(policy).model_copy(update={"version": newest})
    nothing = Policy(version=newest, environment=environment, created_at_ms=0, inboxes=(), views=())
    return everything_stopped(nothing)
