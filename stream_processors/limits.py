"""The bounds of quarantine: beyond them our code, not an event, is what is wrong, and the worker stops."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from tidings.errors import Fatal


@dataclass(frozen=True, slots=True)
class QuarantineLimits:
    """At most `quarantine_max_run` events of one partition in a row, and at most `quarantine_max_ratio` of its last
    `quarantine_ratio_events` events, may be quarantined."""

    quarantine_max_run: int = 10
    quarantine_max_ratio: float = 0.02
    quarantine_ratio_events: int = 1_000


class QuarantineMeter:
    """Counts one partition's events. Immutable by habit: `after` gives a new meter, so that an abort forgets it."""

    __slots__ = ("_failed_at", "_limits", "_run", "_seen")

    def __init__(self, limits: QuarantineLimits) -> None:
        self._limits = limits
        self._run = 0
        self._seen = 0
        self._failed_at: tuple[int, ...] = ()

    def after_sound(self, events: int) -> QuarantineMeter:
        """The meter after `events` more events (at least one), none of which failed."""
        meter = QuarantineMeter(self._limits)
        meter._run, meter._seen, meter._failed_at = 0, self._seen + events, self._failed_at
        return meter

    def after(self, failed: Iterable[bool], where: str) -> QuarantineMeter:
        """The meter after some more events, in order. Raises Fatal, naming the partition `where`, at a limit."""
        limits = self._limits
        run, seen, failed_at = self._run, self._seen, deque(self._failed_at)
        for each in failed:
            seen += 1
            while failed_at and failed_at[0] <= seen - limits.quarantine_ratio_events:
                failed_at.popleft()
            if not each:
                run = 0
                continue
            run += 1
            failed_at.append(seen)
            if run > limits.quarantine_max_run:
                raise Fatal(f"{where}: our code failed on {run} events in a row; nothing of this batch is committed")
            if len(failed_at) > limits.quarantine_max_ratio * limits.quarantine_ratio_events:
                raise Fatal(
                    f"{where}: our code failed on {len(failed_at)} of the last {limits.quarantine_ratio_events} events;"
                    " nothing of this batch is committed"
                )
        meter = QuarantineMeter(limits)
        meter._run, meter._seen, meter._failed_at = run, seen, tuple(failed_at)
        return meter
