"""Time is handed in: every stage takes a `Clock`, so that a test can hold it still."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol


class Clock(Protocol):
    """Reads wall time and a monotonic counter. Both calls are cheap and never raise."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`; a still clock returns at once, having moved on."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """See `Clock.now_ms`."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        time.sleep(seconds)


@dataclass
class StillClock:
    """A clock that moves only when told, for tests. Starts at 2026-06-01T12:00:00Z."""

    at_ms: int = 1_780_315_200_000

    def now_ms(self) -> int:
        """See `Clock.now_ms`."""
        return self.at_ms

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return self.at_ms / 1000

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self.at_ms += round(seconds * 1000)


def utc_date(now_ms: int) -> date:
    """The UTC calendar day of a reading in milliseconds."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).date()


class Deadline:
    """One budget of seconds shared by several steps."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - self._clock.monotonic())

    def expired(self) -> bool:
        """Whether the budget is used up."""
        return self.remaining() <= 0.0
