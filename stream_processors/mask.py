"""The second stage: what each view in force makes of each accepted event."""

from __future__ import annotations

from collections.abc import Sequence

from stream_processors.batch import Column, Judged, Masked, Verdict
from stream_processors.compiled import CompiledInbox
from stream_processors.in_force import in_force, takes
from tidings.policy.model import View
from tidings.projection import Projected


def mask(judged: Sequence[Judged], policy: CompiledInbox, now_ms: int) -> Masked:
    """Weigh each accepted event against each view in force at `now_ms`, view by view over the batch.

    Pure. Whatever the projector raises is a failure of our own code.
    """
    views = (view for view in policy.views if in_force(view, now_ms))
    return Masked(judged, [Column(view, _column(judged, view, policy, now_ms)) for view in views])


def _column(judged: Sequence[Judged], view: View, policy: CompiledInbox, now_ms: int) -> list[Projected | None]:
    decide = policy.projector.decide
    return [
        decide(event.scan, view, event.flags)
        if event.verdict is Verdict.ACCEPTED and event.scan is not None and takes(view, event.scan.change, now_ms)
        else None
        for event in judged
    ]
