"""Carries out a plan and follows its policy into the workers: shared by `apply`, `stop` and `demo`."""

from __future__ import annotations

from collections.abc import Callable

from tidings import topics
from tidings.clock import Clock, Deadline, SystemClock
from tidings.decisions import decode_block
from tidings.errors import Retriable
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster
from tidings.kafka.group_members import has_members
from tidings.kafka.read import LogReader
from tidings.log import Partition
from tidings.policy.model import Policy
from tidings.provisioning.breaking import refuse_breaking
from tidings.provisioning.carry_out import carry_out
from tidings.provisioning.changes import Kind
from tidings.provisioning.planning import Plan, Planner

Ends = dict[Partition, int]
_POLL_SECONDS = 0.2
_NAMED = 5


def apply_plan(planner: Planner, plan: Plan, progress: Callable[[str], None]) -> Policy:
    """Carry `plan` out. Returns the policy in force afterwards. Can be repeated.

    Raises BadInput, before anything is changed, where a feed's readers would break; Retriable and Fatal on the way.
    """
    refuse_breaking(plan.country, plan.in_force, plan.desired.policy)
    carry_out(plan.changes, plan.desired, planner.hands, progress)
    kinds = {change.kind for change in plan.changes}
    if Kind.POLICY not in kinds:
        return plan.in_force or plan.desired.policy
    policy = planner.policy_with_ids(plan) if Kind.SCHEMA in kinds else plan.desired.policy
    progress(f"policy {policy.version}")
    planner.hands.publish(policy)
    return policy


def decisions_end(cluster: Cluster) -> Ends:
    """Where the decisions end now: what `wait_for_workers` reads on from. Taken before the policy is published."""
    if topics.DECISIONS not in Admin(cluster).topics():
        return {}
    with LogReader(cluster, "admin") as reader:
        return reader.ends(reader.partitions(topics.DECISIONS))


def wait_for_workers(
    cluster: Cluster, policy: Policy, since: Ends, wait_seconds: float, clock: Clock | None = None
) -> str:
    """Wait until the worker of every inbox partition has acknowledged `policy`. Returns a sentence about it.

    Raises Retriable, naming the partitions that have not, once `wait_seconds` are over.
    """
    clock = clock or SystemClock()
    if not has_members(cluster, "admin"):
        return "No worker is running: the policy takes effect when one starts (tidings run exchange)."
    deadline = Deadline(clock, wait_seconds)
    wanted = {Partition(inbox.topic, number) for inbox in policy.inboxes for number in range(inbox.partitions)}
    with LogReader(cluster, "admin") as reader:
        at = {partition: since.get(partition, 0) for partition in reader.partitions(topics.DECISIONS)}
        while True:
            for partition, end in reader.ends(at).items():
                for record in reader.read_range(partition, at[partition], end):
                    wanted -= _acknowledged(record.value, policy.version)
                at[partition] = end
            if not wanted:
                return f"Every worker has taken up policy {policy.version}."
            if deadline.expired():
                named = ", ".join(f"{each.topic}/{each.partition}" for each in sorted(wanted)[:_NAMED])
                raise Retriable(
                    f"policy {policy.version} is published, and {len(wanted)} partitions have not taken it up: {named}"
                )
            clock.sleep(_POLL_SECONDS)


def _acknowledged(value: bytes | None, version: int) -> set[Partition]:
    if value is None:
        return set()
    block = decode_block(value)
    if block.policy_version >= version:
        return {Partition(block.inbox, block.partition)}
    return set()
