"""Which agreements the next policy leaves out because a side has not approved them, and which stop an apply for it."""

from __future__ import annotations

from dataclasses import dataclass

from tidings.agreements import Agreement, Country
from tidings.agreements.approve import ApprovalState, agreement_hash, approval_state
from tidings.catalogue import Catalogue
from tidings.errors import BadInput
from tidings.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Pending:
    """An agreement that is not approved by both sides as it stands."""

    agreement: Agreement
    state: ApprovalState

    def __str__(self) -> str:
        words = [f"{agency} approved another text" for agency in self.state.stale]
        words += [f"{agency} has not approved" for agency in self.state.pending if agency not in self.state.stale]
        return f"{self.agreement.agreement} v{self.agreement.version}: {', '.join(words)}"


def pending_approvals(country: Country, catalogue: Catalogue, in_force: Policy | None) -> tuple[Pending, ...]:
    """Every agreement that is left out. Raises BadInput where one is in force today: it was changed after its approval,
    and neither going on with the old text nor ending the feed is ours to choose."""
    pending = []
    for agreement in country.agreements:
        state = approval_state(agreement, agreement_hash(agreement, catalogue))
        if not state.approved:
            pending.append(Pending(agreement, state))
    views = in_force.views if in_force else ()
    running = {(view.agreement, view.agreement_version) for view in views if not view.stopped}
    changed = [each for each in pending if (each.agreement.agreement, each.agreement.version) in running]
    if changed:
        raise BadInput(
            [
                country.problem(
                    each.agreement,
                    ("approvals",),
                    "changed-in-force",
                    "is in force and its text has changed since: approve it again on both sides "
                    "(tidings approve), or stop it first (tidings stop agreement)",
                )
                for each in changed
            ]
        )
    return tuple(pending)
