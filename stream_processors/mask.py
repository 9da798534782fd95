"""The second stage: what each view in force makes of each accepted event."""

from __future__ import annotations

from collections.abc import Sequence

from stream_processors.batch import Column, Judged, Masked, Verdict
from stream_processors.compiled import CompiledInbox
from tidings.clock import utc_date
from tidings.policy.in_force import in_force
from tidings.policy.model import View
from tidings.projection import Projected


def mask(judged: Sequence[Judged], policy: CompiledInbox, now_ms: int) -> Masked:
    """Weigh each accepted event against each view in force at `now_ms`, view by view over the batch.

    There is a column for every view of the inbox, in the policy's order. Pure. Whatever the projector raises is a
    failure of our own code.
    """
    return Masked(judged, [Column(view, _column(judged, view, policy, now_ms)) for view in policy.views])


def _column(judged: Sequence[Judged], view: View, policy: CompiledInbox, now_ms: int) -> list[Projected | None]:
    decide, today = policy.projector.decide, utc_date(now_ms)
    return [
        decide(event.scan, view, event.flags)
        if event.verdict is Verdict.ACCEPTED and event.scan is not None and in_force(view, today, event.scan.change)
        else None
        for event in judged
    ]
