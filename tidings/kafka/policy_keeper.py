"""Keeps the broker's access rules those of the policy as days go by: an agreement that ends loses its read access."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from tidings.acl import Acl
from tidings.clock import Clock, utc_date
from tidings.errors import Retriable
from tidings.kafka.access import set_access
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster
from tidings.kafka.policy_store import PolicyReader
from tidings.policy.model import Policy
from tidings.provisioning.access import next_access_change

_log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
REPAIR_SECONDS = 300.0


def keep_policy(
    cluster: Cluster,
    admin: Admin,
    clock: Clock,
    going_on: Callable[[], bool],
    also: Callable[[Policy], frozenset[Acl]] = lambda _policy: frozenset(),
) -> None:
    """Keep the rules right until `going_on()` says no: at once, at each new policy, on each UTC day when an agreement
    begins or ends, and every five minutes against what somebody changed by hand. `also` is as `set_access` takes it, by
    policy.

    Raises Fatal where the policy cannot be read. A broker that is away is waited for.
    """
    with PolicyReader(cluster, "admin", clock) as reader:
        policy = reader.load()
        due_at = clock.monotonic()
        while going_on():
            try:
                policy, newer = _newest(reader, policy)
                # Due until it is done: a broker that is away at this turn hears of a stop at the next.
                due_at = clock.monotonic() if newer else due_at
                if clock.monotonic() >= due_at:
                    removed, added = set_access(admin, cluster, policy, clock, add=True, also=also(policy))
                    if removed or added:
                        _log.info("access set", policy_version=policy.version, removed=removed, added=added)
                    due_at = clock.monotonic() + min(REPAIR_SECONDS, seconds_to_change(policy, clock.now_ms()))
            except Retriable as failure:
                _log.warning("access not set", why=str(failure))
            clock.sleep(POLL_SECONDS)


def seconds_to_change(policy: Policy, now_ms: int) -> float:
    """Seconds until the day on which the rules change by themselves; infinite where they never do."""
    day = next_access_change(policy, utc_date(now_ms))
    if day is None:
        return float("inf")
    return max(0.0, datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() - now_ms / 1000)


def _newest(reader: PolicyReader, policy: Policy) -> tuple[Policy, bool]:
    newer = reader.newer()
    return (policy, False) if newer is None else (newer, True)
