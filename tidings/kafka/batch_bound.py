"""How many events the next transaction may have: as its messages allow, fewer where the broker is too slow for it."""

from __future__ import annotations

from tidings.kafka.settings import LoopSettings

FIRST_EVENTS = 1_000
"""Until a first commit says how many messages an event makes, it may be hundreds."""
_QUICK_SHARE = 0.25
"""Of the work's budget: a transaction that took less may be followed by one twice as large without running it out."""


class BatchBound:
    """Halved by an abort and doubled by a quick commit, within `batch_max_events` and `batch_max_messages`.

    The same batch again would run out of the same budget: without this, a worker whose transactions touch more feed
    partitions than its broker can serve in `work_budget_ms` would abort until its limit, and its successor after it.
    """

    def __init__(self, settings: LoopSettings) -> None:
        self._settings = settings
        self._events = min(FIRST_EVENTS, settings.batch_max_events)
        self._messages_per_event = 1.0

    def events(self) -> int:
        """At most so many events, 1 at least."""
        by_messages = int(self._settings.batch_max_messages / self._messages_per_event)
        return max(1, min(self._events, by_messages))

    def aborted(self, events: int) -> None:
        """A transaction of so many `events` was aborted; 0 where it held none, which says nothing."""
        if events:
            self._events = max(1, min(self._events, events) // 2)

    def committed(self, events: int, messages: int, seconds: float) -> None:
        """A transaction of `events`, which made so many `messages`, was decided and committed within `seconds`."""
        self._messages_per_event = max(1.0, messages / events)
        if seconds < _QUICK_SHARE * self._settings.work_budget_ms / 1000:
            self._events = min(self._settings.batch_max_events, self._events * 2)
