"""Who may do what on the broker, compiled from the policy and today's date: the agreement is the only source of access.

Default deny: what is not in this list is refused. Prefixed patterns end in a dot (or, for the workers' transactional
ids, in a hyphen), so that `gro` never covers `gro-test`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from tidings import topics
from tidings.acl import Acl, Operation, Pattern, Resource
from tidings.deployment import CORRECTION_WINDOW, group_name
from tidings.policy.model import Policy, View
from tidings.provisioning.processors import is_processor

EXCHANGE = "exchange"
MONITOR = "monitor"
OURS = frozenset({EXCHANGE, MONITOR, CORRECTION_WINDOW})
"""The principals of our own processes, whose access is compiled like an agency's."""

_DESCRIBE = (Operation.DESCRIBE,)
_READ = (Operation.READ, Operation.DESCRIBE)
_WRITE = (Operation.WRITE, Operation.DESCRIBE)
_BOTH = (Operation.READ, Operation.WRITE, Operation.DESCRIBE)


def access_of(policy: Policy, agencies: tuple[str, ...], today: date, deployment: str) -> frozenset[Acl]:
    """Every entry that the broker should hold for our own processes and `agencies`, and no other."""
    entries = _exchange(deployment) | _monitor(agencies, deployment)
    held = [view for view in policy.views if view.hold_seconds is not None]
    if held:
        entries |= _correction_window(held, deployment)
    for agency in agencies:
        entries |= _allow(agency, Resource.GROUP, f"{agency}.", _READ, Pattern.PREFIXED)
    for inbox in policy.inboxes:
        if not inbox.stopped:
            entries |= _allow(inbox.agency, Resource.TOPIC, inbox.topic, _WRITE)
            entries |= _allow(inbox.agency, Resource.TRANSACTIONAL_ID, f"{inbox.agency}.", _WRITE, Pattern.PREFIXED)
        entries |= _allow(inbox.agency, Resource.TOPIC, topics.notices(inbox.agency), _READ)
        # How far the exchange has decided: the broker shows offsets of topics that the agency may describe, its own.
        entries |= _allow(inbox.agency, Resource.GROUP, group_name(deployment), _DESCRIBE)
    for view in policy.views:
        if may_read(view, today):
            entries |= _allow(view.subscriber, Resource.TOPIC, view.feed, _READ)
    return frozenset(entries)


def managed_principals(entries: Iterable[Acl], known: Iterable[str]) -> frozenset[str]:
    """Whose entries are ours to take away: our own processes, those `known`, and every agency that ever had access,
    which is seen by the entry of its own groups. So an agency that is no longer in the files loses what it had. A
    processor is none of them: only a plan knows what it declares."""
    agencies = {entry.principal for entry in entries if _is_own_group(entry) and not is_processor(entry.principal)}
    return OURS.union(known, agencies)


def own_principals(policy: Policy) -> frozenset[str]:
    """Our own processes that `policy` needs: the correction window where an agreement holds views back."""
    held = any(view.hold_seconds is not None for view in policy.views)
    return OURS if held else OURS - {CORRECTION_WINDOW}


def _is_own_group(entry: Acl) -> bool:
    return (entry.resource, entry.name) == (Resource.GROUP, f"{entry.principal}.")


def may_read(view: View, today: date) -> bool:
    """Whether a view's subscriber may read its feed on a UTC day: from its first day to its last; after that only where
    corrections still come. A stopped agreement may not."""
    if view.stopped or today < view.valid_from:
        return False
    return today <= view.valid_until or view.after_end == "corrections"


def next_access_change(policy: Policy, today: date) -> date | None:
    """The next UTC day on which `access_of` will differ by itself, or None: what `tidings run policy` waits for."""
    going = [view for view in policy.views if not view.stopped]
    days = {view.valid_from for view in going}
    # The last day of the calendar has none after it: such an agreement does not end.
    ending = (view for view in going if view.after_end == "nothing" and view.valid_until < date.max)
    days |= {view.valid_until + timedelta(days=1) for view in ending}
    return min((day for day in days if day > today), default=None)


def _exchange(deployment: str) -> set[Acl]:
    group = group_name(deployment)
    entries = _allow(EXCHANGE, Resource.TOPIC, "inbox.", _READ, Pattern.PREFIXED)
    for prefix in ("feed.", "notices."):
        entries |= _allow(EXCHANGE, Resource.TOPIC, prefix, _WRITE, Pattern.PREFIXED)
    for topic in (topics.DECISIONS, topics.NONCES, topics.QUARANTINE):
        entries |= _allow(EXCHANGE, Resource.TOPIC, topic, _BOTH)
    for topic in (topics.POLICY, topics.REPLAYS):
        entries |= _allow(EXCHANGE, Resource.TOPIC, topic, _READ)
    entries |= _allow(EXCHANGE, Resource.GROUP, group, _READ)
    entries |= _allow(EXCHANGE, Resource.GROUP, f"{EXCHANGE}.", _READ, Pattern.PREFIXED)
    return entries | _allow(EXCHANGE, Resource.TRANSACTIONAL_ID, f"{group}-", _WRITE, Pattern.PREFIXED)


def _correction_window(held: Iterable[View], deployment: str) -> set[Acl]:
    """It reads what is held and writes the feeds of those views, nobody else's; no agency reads what is held."""
    group = group_name(deployment, CORRECTION_WINDOW)
    entries = _allow(CORRECTION_WINDOW, Resource.TOPIC, topics.RELEASES, _BOTH)
    entries |= _allow(CORRECTION_WINDOW, Resource.TOPIC, topics.POLICY, _READ)
    entries |= _allow(EXCHANGE, Resource.TOPIC, "held.", _WRITE, Pattern.PREFIXED)
    # All that is held, so that it can settle what an agreement left behind which is no longer in the policy.
    entries |= _allow(CORRECTION_WINDOW, Resource.TOPIC, "held.", _READ, Pattern.PREFIXED)
    # The monitor sees how far the window has come, and how much it has released; it reads nothing that waits.
    entries |= _allow(MONITOR, Resource.TOPIC, topics.RELEASES, _READ)
    entries |= _allow(MONITOR, Resource.TOPIC, "held.", _DESCRIBE, Pattern.PREFIXED)
    entries |= _allow(MONITOR, Resource.GROUP, group, _DESCRIBE)
    for view in held:
        # Also of an agreement that is stopped: what is held of it is settled, and nothing goes to its feed.
        entries |= _allow(CORRECTION_WINDOW, Resource.TOPIC, view.feed, _WRITE)
    entries |= _allow(CORRECTION_WINDOW, Resource.GROUP, group, _READ)
    entries |= _allow(CORRECTION_WINDOW, Resource.GROUP, f"{CORRECTION_WINDOW}.", _READ, Pattern.PREFIXED)
    return entries | _allow(CORRECTION_WINDOW, Resource.TRANSACTIONAL_ID, f"{group}-", _WRITE, Pattern.PREFIXED)


def _monitor(agencies: Iterable[str], deployment: str) -> set[Acl]:
    """Lags are told by the first record that a group has not read: so it reads inboxes and feeds, a record at a time,
    writes nothing, joins no group, and asks only after groups that the policy knows."""
    entries: set[Acl] = set()
    for prefix in ("inbox.", "feed."):
        entries |= _allow(MONITOR, Resource.TOPIC, prefix, _READ, Pattern.PREFIXED)
    for topic in (topics.DECISIONS, topics.POLICY, topics.QUARANTINE, topics.REPLAYS):
        entries |= _allow(MONITOR, Resource.TOPIC, topic, _READ)
    for prefix in (MONITOR, *agencies):
        entries |= _allow(MONITOR, Resource.GROUP, f"{prefix}.", (Operation.DESCRIBE,), Pattern.PREFIXED)
    return entries | _allow(MONITOR, Resource.GROUP, group_name(deployment), (Operation.DESCRIBE,))


def _allow(
    principal: str,
    resource: Resource,
    name: str,
    operations: tuple[Operation, ...],
    pattern: Pattern = Pattern.LITERAL,
) -> set[Acl]:
    return {Acl(principal, operation, resource, name, pattern) for operation in operations}
