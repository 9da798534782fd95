"""Which views are in force at a reading of the clock, and for which changes."""

from __future__ import annotations

from tidings.clock import utc_date
from tidings.policy.model import View

CORRECTIONS = frozenset({"CORRECTED", "ANNULLED", "REINSTATED"})
"""The changes that still go out after an agreement's end where it says `after_end: corrections`."""


def in_force(view: View, now_ms: int) -> bool:
    """Whether the view takes any event: from the start of `valid_from` to the end of `valid_until` (UTC days).

    After that, where it says so, it takes corrections. A stopped view takes none.
    """
    today = utc_date(now_ms)
    return not view.stopped and view.valid_from <= today and (today <= view.valid_until or _corrects(view))


def takes(view: View, change: str, now_ms: int) -> bool:
    """Whether a view in force takes an event of this `change`."""
    return utc_date(now_ms) <= view.valid_until or change in CORRECTIONS


def _corrects(view: View) -> bool:
    return view.after_end == "corrections"
