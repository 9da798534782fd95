"""What an operator has stopped, as the policy in force says it: every apply carries it over until it is lifted.

In a policy it stands as texts: `all`, `agreement:<name>`, `publisher:<agency>`.
"""

from __future__ import annotations

from dataclasses import replace

from tidings.policy.codec import sealed
from tidings.policy.compile import Stops
from tidings.policy.model import Policy

_ALL, _AGREEMENT, _PUBLISHER = "all", "agreement:", "publisher:"


def stops_of(policy: Policy | None) -> Stops:
    """The stops of a policy; none where there is no policy."""
    texts = policy.stops if policy else ()
    return Stops(
        agreements=frozenset(text.removeprefix(_AGREEMENT) for text in texts if text.startswith(_AGREEMENT)),
        publishers=frozenset(text.removeprefix(_PUBLISHER) for text in texts if text.startswith(_PUBLISHER)),
        all=_ALL in texts,
    )


def texts_of(stops: Stops) -> tuple[str, ...]:
    """Stops as they stand in a policy, sorted."""
    texts = {f"{_AGREEMENT}{name}" for name in stops.agreements} | {f"{_PUBLISHER}{name}" for name in stops.publishers}
    return tuple(sorted(texts | ({_ALL} if stops.all else set())))


def everything_stopped(policy: Policy) -> Policy:
    """`policy` with `all` among its stops; not sealed, and nothing else in it changed: what the next is made from."""
    return policy.model_copy(update={"stops": texts_of(replace(stops_of(policy), all=True))})


def stopped(policy: Policy, stops: Stops, now_ms: int) -> Policy:
    """The next version of `policy`, in which exactly `stops` are stopped; all else as it was. Sealed."""
    return sealed(
        policy.model_copy(
            update={
                "version": policy.version + 1,
                "created_at_ms": now_ms,
                "stops": texts_of(stops),
                "inboxes": tuple(
                    inbox.model_copy(update={"stopped": stops.publisher(inbox.agency)}) for inbox in policy.inboxes
                ),
                "views": tuple(
                    view.model_copy(update={"stopped": stops.agreement(view.agreement)}) for view in policy.views
                ),
            }
        )
    )
