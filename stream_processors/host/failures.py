"""What becomes of an event or a part on which a processor failed: set aside, with coordinates and a code; bounded.

An event that cannot be decoded, that `split` or `step` refuses (Reject) or fails on, is set aside in the processor's
quarantine topic, and the next one is taken. A processor that fails again and again is broken itself: it stops (Fatal)
before it has set everything aside.
"""

from __future__ import annotations

from stream_processors.bisect import where_raised
from tidings.clock import Clock
from tidings.errors import Fatal, ReasonCode, Reject
from tidings.quarantine import QuarantineRecord

FAILURES_IN_A_ROW = 100


class Failures:
    """Of one process of `processor`. `worker` names it in each record."""

    def __init__(self, worker: str, policy_version: int, clock: Clock, limit: int = FAILURES_IN_A_ROW) -> None:
        self._worker = worker
        self._policy_version = policy_version
        self._clock = clock
        self._limit = limit
        self._in_a_row = 0

    def well(self) -> None:
        """An event went well."""
        self._in_a_row = 0

    def record(self, topic: str, partition: int, offset: int, error: Exception) -> QuarantineRecord:
        """What to set aside. Raises Fatal, naming the code, where too many in a row failed."""
        self._in_a_row += 1
        code = error.findings[0].code if isinstance(error, Reject) else ReasonCode.INTERNAL
        if self._in_a_row > self._limit:
            raise Fatal(f"{self._in_a_row} events in a row failed, the last of {topic} with {code.value}")
        return QuarantineRecord(
            inbox=topic,
            partition=partition,
            offset=offset,
            code=code.value,
            error=type(error).__name__,
            where=where_raised(error.__traceback__),
            policy_version=self._policy_version,
            decided_at_ms=self._clock.now_ms(),
            worker=self._worker,
        )
