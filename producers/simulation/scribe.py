"""Writes what a county's registers record: each event once it is recorded, and now and then wrongly at first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from random import Random

from producers.simulation.due import due
from producers.simulation.mending import MORE_BYTES
from producers.simulation.people import People
from producers.simulation.pieces import uuids
from producers.simulation.portraits import PROTECTIONS, Body, Portraits
from producers.simulation.rates import STEPS, Rates
from producers.simulation.shapes import EVENT_TYPES, Shape, shapes
from producers.simulation.splice import NULL, SOME, text
from producers.simulation.telling import RANDOM_BYTES, Told, record_id, teller
from producers.simulation.versions import NO_LIFE, Fact, Version, Versions


class Scribe:
    """The registers of one county. Rows wait in `due`, by the day since 1970 on which they are received."""

    def __init__(
        self,
        people: People,
        portraits: Portraits,
        rates: Rates,
        seed: int,
        words: Iterator[int],
        *,
        start_ms: int,
        environment: str,
        only: Collection[str] | None,
    ) -> None:
        self.people, self.portraits, self.delays = people, portraits, rates.delays
        self.shapes = shapes(environment)
        self.due = due()
        self._words = words
        self._wanted = [only is None or name in only for name in EVENT_TYPES]
        self._uuids = uuids(f"{seed}/{people.county}/ids")
        self._random = Random(f"{seed}/{people.county}/facts")  # noqa: S311 (made-up people, not secrets)
        self._serials = [0] * len(EVENT_TYPES)
        self._teller = teller(people, portraits, [*self.shapes.values()], self.delays["correction"], start_ms, self.due)
        self._versions = Versions(people, portraits, self._teller.later, start_ms, self.due)

    def delay(self, name: str, bits: int) -> int:
        """How long a recording takes, in milliseconds, by 32 random bits."""
        return self.delays[name][bits % STEPS] + (bits >> 10)

    def life_event(self) -> bytes:
        """A new id that joins the events of one happening."""
        return SOME + next(self._uuids)

    def tell_all(self, name: str, facts: Sequence[Told]) -> None:
        """New facts are recorded; of some the first record is wrong, and put right later."""
        shape = self.shapes[name]
        if not facts or not self._wanted[shape.number]:
            return
        serial, random = self._serials[shape.number], self._random.randbytes(len(facts) * RANDOM_BYTES)
        self._serials[shape.number] += len(facts)
        wrong = self._teller.tell(shape, serial, facts, random)
        if wrong:
            more = self._random.randbytes(len(wrong) * MORE_BYTES)
            self._teller.tell_wrongly(shape, serial, facts, random, wrong, more)

    def tell(self, name: str, fact: Fact) -> None:
        """One new fact."""
        self.tell_all(name, [fact])

    def begin(self, name: str, fact: Fact) -> Version:
        """The first version of a record of which more will be told, and which is right."""
        shape, word = self.shapes[name], next(self._words)
        self._serials[shape.number] += 1
        record = record_id(self.people.county, shape.number, self._serials[shape.number])
        version = self._versions.first(fact, record, next(self._uuids))
        if self._wanted[shape.number]:
            self._versions.write(shape, version, fact.recorded_ms, fact.body, word)
        return version

    def go_on(
        self, shape: Shape, before: Version, recorded_ms: int, body: Body | None, change: bytes, reason: bytes = NULL
    ) -> Version:
        """The next version of a record; without a body it is an annulment."""
        made = next(self._uuids), next(self._words)
        if not self._wanted[shape.number]:
            return before
        return self._versions.go_on(shape, before, recorded_ms, body, made, change, reason)

    def enter(self, name: str, scheme: str, key: str, version: int, change: bytes, fact: Fact) -> None:
        """A register's entry, which is about no person: its key is record and subject."""
        entry = text(key)
        shape, word = self.shapes[name], next(self._words)
        made = Version(
            entry, next(self._uuids), version, NO_LIFE, fact.occurred, text(scheme) + entry,
            f"{scheme}:{key}".encode(), _NO_RELATED, PROTECTIONS[0],
        )  # fmt: skip
        if self._wanted[shape.number]:
            self._versions.write(shape, made, fact.recorded_ms, fact.body, word, change)


_NO_RELATED = b"\x00"
