"""What an operator has stopped, as the policy in force says it: the next apply carries it over until it is lifted."""

from __future__ import annotations

from tidings.policy.codec import sealed
from tidings.policy.compile import Stops
from tidings.policy.model import Policy


def stops_of(policy: Policy | None) -> Stops:
    """The stops of a policy; none where there is no policy."""
    if policy is None:
        return Stops()
    return Stops(
        agreements=frozenset(view.agreement for view in policy.views if view.stopped),
        publishers=frozenset(inbox.agency for inbox in policy.inboxes if inbox.stopped),
    )


def stopped(policy: Policy, stops: Stops, now_ms: int) -> Policy:
    """The next version of `policy`, in which exactly `stops` are stopped; all else as it was. Sealed."""
    return sealed(
        policy.model_copy(
            update={
                "version": policy.version + 1,
                "created_at_ms": now_ms,
                "inboxes": tuple(
                    inbox.model_copy(update={"stopped": stops.publisher(inbox.agency)}) for inbox in policy.inboxes
                ),
                "views": tuple(
                    view.model_copy(update={"stopped": stops.agreement(view.agreement)}) for view in policy.views
                ),
            }
        )
    )
