"""A small country's events, made from a seed: the same seed gives the same events, byte for byte."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import Any, Literal

from producers import _people as people
from producers._faults import FAULTS, SPOILED_TYPE, Fault
from producers._life import BY_TYPE, HAPPENINGS, Happening, Moment
from producers.encode import Encoder, WireEvent

START_MS = 1_736_121_600_000
"""2025-01-06T00:00:00Z: the first event's `received_at`. Each next one is up to two seconds later."""
REMEMBERED = 2_000
"""How many events may still be corrected, annulled or sent again; far fewer than any deduplication window."""
PEOPLE = 200_000
"""How many people there are at the start, of whom things happen to some; births add more."""

WATCHED_ONE_IN = 64
"""Of so many events about somebody, one is about a person of an interest list, so that such feeds are not empty."""

CORRECTED_SHARE, ANNULLED_SHARE, REINSTATED_SHARE, DUPLICATE_SHARE = 0.04, 0.02, 0.005, 0.01

Outcome = Literal["accepted", "rejected", "duplicate"]


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """One event and what the exchange must make of it: `codes` are the reasons of a rejection. No value is in its
    repr."""

    event_type: str
    agency: str
    expected: Outcome
    event: dict[str, Any] = field(repr=False)
    codes: tuple[str, ...] = ()
    fault: Fault | None = None

    def wire(self, encoder: Encoder) -> WireEvent:
        """The record to send, mangled where the fault is one of framing."""
        record = encoder.encode(self.event)
        return record if self.fault is None else self.fault.mangle(record)


def simulate(
    events: int, seed: int, bad_share: float = 0.02, start_ms: int = START_MS, environment: str = "SYNTHETIC"
) -> Iterator[SimulatedEvent]:
    """`events` events in the order in which they are sent. People are from ranges that are nobody's.

    Args: `bad_share` (0 to 1) is the share of bad records, all kinds alike, `event_id_reused` among them. `environment`
    is for tests of refusal only. Raises ValueError where an argument is out of range.
    """
    if events < 0 or not 0 <= bad_share <= 1:
        raise ValueError("events counts from 0, and bad_share is a share from 0 to 1")
    return _Simulation(seed, bad_share, start_ms, environment).run(events)


class _Simulation:
    def __init__(self, seed: int, bad_share: float, start_ms: int, environment: str) -> None:
        self._random = Random(seed)  # noqa: S311 (made-up people, not secrets)
        self._seed, self._bad_share, self._environment = seed, bad_share, environment
        self._now_ms = start_ms
        self._next_person = PEOPLE
        self._next_record = 1
        self._past: deque[SimulatedEvent] = deque(maxlen=REMEMBERED)
        self._annulled: deque[SimulatedEvent] = deque(maxlen=REMEMBERED)
        self._weights = tuple(accumulate(each.weight for each in HAPPENINGS))
        self._day_ms, self._day = -1, people.date(2025, 1, 1)

    def run(self, events: int) -> Iterator[SimulatedEvent]:
        made = 0
        while made < events:
            for each in self._next():
                if made < events:
                    made += 1
                    yield each

    def _next(self) -> list[SimulatedEvent]:
        rng = self._random
        self._now_ms += rng.getrandbits(11)
        if rng.random() < self._bad_share:
            return [self._bad()]
        draw = rng.random()
        if self._past:
            if draw < DUPLICATE_SHARE:
                old = self._pick(self._past)
                return [SimulatedEvent(old.event_type, old.agency, "duplicate", old.event)]
            if draw < DUPLICATE_SHARE + CORRECTED_SHARE:
                return [self._follow(self._pick(self._past), "CORRECTED", "formal_correction")]
            if draw < DUPLICATE_SHARE + CORRECTED_SHARE + ANNULLED_SHARE:
                return [self._annul()]
            if draw < DUPLICATE_SHARE + CORRECTED_SHARE + ANNULLED_SHARE + REINSTATED_SHARE and self._annulled:
                return [self._follow(self._pick(self._annulled), "REINSTATED", "cancellation_removed")]
        happening = rng.choices(HAPPENINGS, cum_weights=self._weights)[0]
        if happening.event_type.startswith("partnership"):
            return self._pair(happening)
        made = self._happen(happening)
        self._past.append(made)
        return [made]

    def _happen(self, happening: Happening) -> SimulatedEvent:
        subject = self._newborn() if happening.event_type.startswith("birth") else self._anyone_or_watched()
        return self._make(happening, subject, self._anyone(), None)

    def _pair(self, happening: Happening) -> list[SimulatedEvent]:
        """A partnership is two events, joined by their life event."""
        one, other, joined = self._anyone(), self._anyone(), self._uuid()
        made = [self._make(happening, one, other, joined), self._make(happening, other, one, joined)]
        self._past.extend(made)
        return made

    def _make(
        self, happening: Happening, subject: people.Person, other: people.Person, life_event_id: str | None
    ) -> SimulatedEvent:
        record_id = f"{happening.event_type}-{self._next_record:09d}"
        self._next_record += 1
        day = self._today()
        event: dict[str, Any] = {
            "event_id": self._uuid(),
            "change": "CREATED",
            "reason": None,
            "record_id": record_id,
            "record_version": 1,
            "supersedes": None,
            "life_event_id": life_event_id,
            "recorded_at": self._now_ms - 500,
            "received_at": self._now_ms,
            "occurred_on": day,
            "source": {"agency": happening.agency, "system": "simulator", "ref": record_id, "batch_id": None},
            "subject": {"scheme": subject.scheme, "value": subject.value},
            "identifiers": [],
            "related": [],
            "protection": subject.protection,
            "environment": self._environment,
        } | happening.build(Moment(subject, other, self._random.getrandbits(32), day))
        return SimulatedEvent(happening.event_type, happening.agency, "accepted", event)

    def _follow(self, old: SimulatedEvent, change: str, reason: str) -> SimulatedEvent:
        """A later version of a record: the same subject, a new event."""
        event = old.event | {
            "event_id": self._uuid(),
            "change": change,
            "reason": reason,
            "record_version": (old.event["record_version"] or 0) + 1,
            "supersedes": old.event["event_id"],
            "recorded_at": self._now_ms - 500,
            "received_at": self._now_ms,
        }
        return SimulatedEvent(old.event_type, old.agency, "accepted", event)

    def _annul(self) -> SimulatedEvent:
        """An annulment has its head and an empty body."""
        old = self._pick(self._past)
        made = self._follow(old, "ANNULLED", "cancelled")
        self._annulled.append(old)
        body = set(old.event) - _HEAD
        return SimulatedEvent(
            made.event_type,
            made.agency,
            "accepted",
            {name: made.event[name] for name in made.event if name not in body},
        )

    def _bad(self) -> SimulatedEvent:
        at = self._random.randrange(len(FAULTS) + 1)
        if at == len(FAULTS) and self._past:
            old = self._pick(self._past)
            event = old.event | {"received_at": old.event["received_at"] + 1}
            return SimulatedEvent(old.event_type, old.agency, "rejected", event, ("event_id_reused",))
        fault = FAULTS[at % len(FAULTS)]
        happening = BY_TYPE[SPOILED_TYPE]
        made = self._make(happening, self._anyone(), self._anyone(), None)
        fault.spoil(made.event)
        return SimulatedEvent(made.event_type, made.agency, "rejected", made.event, fault.expects, fault)

    def _anyone(self) -> people.Person:
        return people.person(int(self._random.random() * PEOPLE), self._seed)

    def _anyone_or_watched(self) -> people.Person:
        anyone = self._anyone()
        turn, rest = divmod(anyone.number, WATCHED_ONE_IN)
        return anyone if rest else people.person(people.WATCHED[turn % len(people.WATCHED)], self._seed)

    def _newborn(self) -> people.Person:
        self._next_person += 1
        return people.person(self._next_person, self._seed)

    def _pick(self, events: deque[SimulatedEvent]) -> SimulatedEvent:
        return events[int(self._random.random() * len(events))]

    def _uuid(self) -> str:
        """A random uuid, version 4, of this simulation's own generator."""
        bits = self._random.getrandbits(128)
        digits = f"{bits & ~(0xF000C000 << 48) & ((1 << 128) - 1) | 0x4000_8000 << 48:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _today(self) -> dict[str, Any]:
        """The day before `received_at`, shared by all events of that day."""
        day_ms = self._now_ms // 86_400_000
        if day_ms != self._day_ms:
            at = datetime.fromtimestamp((day_ms - 1) * 86_400, UTC)
            self._day_ms, self._day = day_ms, people.date(at.year, at.month, at.day)
        return self._day


_HEAD = frozenset(
    {
        "event_id", "change", "reason", "record_id", "record_version", "supersedes", "life_event_id", "recorded_at",
        "received_at", "occurred_on", "source", "subject", "identifiers", "related", "protection", "environment",
    }
)  # fmt: skip
