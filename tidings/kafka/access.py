"""Makes the broker's access rules those of a policy on today's date, and touches no other principal's."""

from __future__ import annotations

from tidings.acl import Acl
from tidings.clock import Clock, utc_date
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster
from tidings.policy.model import Policy
from tidings.provisioning.access import OURS, access_of, managed_principals


def set_access(
    admin: Admin, cluster: Cluster, policy: Policy, clock: Clock, *, add: bool, also: frozenset[Acl] = frozenset()
) -> tuple[int, int]:
    """Take away every rule of a managed principal that `policy` does not give today; with `add`, also put in what is
    missing. Returns how many were taken away and added. Raises Retriable, Fatal; can be repeated.

    Managed are our own processes and every agency that has a rule or is in the policy. `also` are the rules that the
    derived processors declare under this policy: an agency keeps those about itself.
    """
    there = admin.acls()
    agencies = {inbox.agency for inbox in policy.inboxes} | {view.subscriber for view in policy.views}
    managed = managed_principals(there, agencies)
    wanted = access_of(policy, tuple(sorted(managed - OURS)), utc_date(clock.now_ms()), cluster.deployment)
    wanted |= {entry for entry in also if entry.principal in managed}
    extra = {entry for entry in there if entry.principal in managed} - wanted
    missing = wanted - there if add else frozenset()
    admin.delete_acls(extra)
    admin.create_acls(missing)
    return len(extra), len(missing)
