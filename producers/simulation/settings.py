"""What a simulation is told: who lives there, from when, and how much of it is bad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from producers.simulation.faults import FAULTS
from producers.simulation.happenings import HAPPENINGS
from producers.simulation.pieces import FIRST_MS, LAST_MS
from producers.simulation.shapes import EVENT_TYPES

START_MS = 1_325_462_400_000
"""2012-01-02T00:00:00Z: so that the two million events of a measured run end before today."""
PEOPLE = 500_000
"""How many people there are at the start, when nothing else is said: about 160,000 events a year."""
BAD_SHARE, DUPLICATE_SHARE = 0.02, 0.01


@dataclass(frozen=True, slots=True)
class Settings:
    """The same settings give the same events, byte for byte, in whatever number of processes.

    `bad_share` is the share of bad records, all kinds alike; `faults` gives a kind its own share of all records.
    `only` are event types; where it is given, nothing else happens, so it is another country. `times` says of a
    happening how many times as often it happens. Raises ValueError for a share, a name or a number out of range.
    """

    seed: int = 1
    people: int = PEOPLE
    start_ms: int = START_MS
    environment: str = "SYNTHETIC"
    bad_share: float = BAD_SHARE
    duplicate_share: float = DUPLICATE_SHARE
    faults: Mapping[str, float] = field(default_factory=dict)
    only: frozenset[str] | None = None
    times: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shares = (self.bad_share, self.duplicate_share, *self.faults.values())
        if any(not 0 <= share < 1 for share in shares) or sum(shares) >= 1:
            raise ValueError("a share is a number from 0 to below 1, and all together are below 1")
        if not FIRST_MS + _MARGIN_MS <= self.start_ms < LAST_MS - _MARGIN_MS:
            raise ValueError("a country begins between 1975 and 2034")
        if not MIN_PEOPLE <= self.people <= MAX_PEOPLE:
            raise ValueError(f"people are from {MIN_PEOPLE} to {MAX_PEOPLE}")
        names = ((self.only or (), EVENT_TYPES), (self.times, HAPPENINGS), (self.faults, FAULTS))
        unknown = sorted(name for given, known in names for name in given if name not in known)
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}")
        if any(not 0 <= times <= MOST_TIMES for times in self.times.values()):
            raise ValueError(f"a happening comes from 0 to {MOST_TIMES} times as often")


_MARGIN_MS = 5 * 365 * 86_400_000
MOST_TIMES = 1_000_000
MIN_PEOPLE, MAX_PEOPLE = 2_000, 100_000_000
