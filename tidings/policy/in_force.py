"""Whether an agreement counts for an event, by the batch's clock reading: the one reader of an agreement's dates."""

from __future__ import annotations

from datetime import date

from tidings.policy.model import View

# What still goes to a subscriber after an agreement's end, where it asks for corrections (GDPR, article 19).
CORRECTIONS = frozenset({"CORRECTED", "ANNULLED", "REINSTATED"})


def in_force(view: View, today: date, change: str) -> bool:
    """Whether `view` is weighed for an event with this `change` on the UTC day `today`.

    Both days named in the agreement belong to it. After the last, corrections only, and only where `after_end` says so.
    """
    if view.stopped or today < view.valid_from:
        return False
    return today <= view.valid_until or (view.after_end == "corrections" and change in CORRECTIONS)
