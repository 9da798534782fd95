"""Writes what a county's registers record: each event once it is recorded, and now and then wrongly at first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from random import Random
from typing import NamedTuple

from producers.simulation.mistakes import mistaken
from producers.simulation.people import FIRST, STATE, STRIDE, People
from producers.simulation.pieces import Tops, instants, uuids
from producers.simulation.portraits import PROTECTIONS, Body, Portraits
from producers.simulation.rates import DAY_MS, STEPS, Rates
from producers.simulation.shapes import ANNULLED, CORRECTED, CREATED, EVENT_TYPES, REINSTATED, Shape, shapes
from producers.simulation.splice import NULL, SOME, text
from producers.simulation.telling import (
    ANNULLED_OF_4096,
    CORRECTED_OF_4096,
    RANDOM_BYTES,
    WORD_BYTES,
    Due,
    Told,
    record_id,
    teller,
)
from tidings.wire import zigzag

REINSTATED_OF_4 = 1
"""Of four annulments, so many were wrong themselves."""

APART_MS = 3000
"""Two records so far apart are received in the order in which they are recorded."""
NO_LIFE, NO_RELATED = NULL, b"\x00"
_REASONS = [SOME + text(reason) for reason in ("formal_correction", "quality_assurance", "typographical")]
CANCELLED, _CANCELLATION_REMOVED, _WRONG_SUBJECT = (
    SOME + text(reason) for reason in ("cancelled", "cancellation_removed", "wrong_subject")
)


class Fact(NamedTuple):
    """What is told of a person: when it is recorded, the date on which it happened as Avro, and the body's pieces. What
    is hot makes a plain `telling.Told` of the same, in a quarter of the time."""

    person: int
    recorded_ms: int
    occurred: bytes
    body: Body
    life: bytes = NO_LIFE
    related: bytes = NO_RELATED


class Version(NamedTuple):
    """One version of a record, as later ones need it."""

    record_id: bytes
    event_id: bytes
    number: int
    life: bytes
    occurred: bytes
    subject: bytes
    key: bytes
    related: bytes
    protection: bytes


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
        self.due: Due = defaultdict(list)
        self._words, self._start_ms = words, start_ms
        self._wanted = [only is None or name in only for name in EVENT_TYPES]
        self._uuids, self._tops = uuids(f"{seed}/{people.county}/ids"), Tops()
        self._random = Random(f"{seed}/{people.county}/facts")  # noqa: S311 (made-up people, not secrets)
        self._serials = [0] * len(EVENT_TYPES)
        self._teller = teller(people, portraits, [*self.shapes.values()], start_ms, self.due)

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
        for at in self._teller.tell(shape, serial, facts, random):
            word = int.from_bytes(random[at * WORD_BYTES : (at + 1) * WORD_BYTES], "little")
            self._wrongly(shape, Fact(*facts[at]), record_id(self.people.county, shape.number, serial + at + 1), word)

    def tell(self, name: str, fact: Fact) -> None:
        """One new fact."""
        self.tell_all(name, [fact])

    def begin(self, name: str, fact: Fact) -> Version:
        """The first version of a record of which more will be told, and which is right."""
        shape, word = self.shapes[name], next(self._words)
        self._serials[shape.number] += 1
        record = record_id(self.people.county, shape.number, self._serials[shape.number])
        version = self._first(fact, record)
        self._write(shape, version, fact.recorded_ms, fact.body, word)
        return version

    def go_on(
        self, shape: Shape, before: Version, recorded_ms: int, body: Body | None, change: bytes, reason: bytes = NULL
    ) -> Version:
        """The next version of a record; without a body it is an annulment."""
        version = before._replace(event_id=next(self._uuids), number=before.number + 1)
        self._write(shape, version, recorded_ms, body, next(self._words), change, reason, SOME + before.event_id)
        return version

    def enter(self, name: str, scheme: str, key: str, version: int, change: bytes, fact: Fact) -> None:
        """A register's entry, which is about no person: its key is record and subject."""
        entry = text(key)
        shape, word = self.shapes[name], next(self._words)
        made = Version(
            entry, next(self._uuids), version, NO_LIFE, fact.occurred, text(scheme) + entry,
            f"{scheme}:{key}".encode(), NO_RELATED, PROTECTIONS[0],
        )  # fmt: skip
        self._write(shape, made, fact.recorded_ms, fact.body, word, change)

    def _first(self, fact: Fact, record_id: bytes) -> Version:
        subject, key = self.people.key(fact.person)
        protection = PROTECTIONS[self.people.of[fact.person + STATE] & 12]
        return Version(
            record_id, next(self._uuids), 1, fact.life, fact.occurred, subject, key, fact.related, protection
        )

    def _wrongly(self, shape: Shape, fact: Fact, record_id: bytes, word: int) -> None:
        """A record that is not right at first: wrongly written, one that never held, or of the wrong person."""
        fate, later, version = word & 0xFFF, next(self._words), self._first(fact, record_id)
        mended_ms = fact.recorded_ms + self.delay("correction", later & 0xFFFFFFFF)
        if fate < CORRECTED_OF_4096:
            wrong = mistaken(shape, fact.body, self.portraits, later)
            self._write(shape, version, fact.recorded_ms, wrong or fact.body, word)
            if wrong is not None:
                reason = _REASONS[(later >> 56) % 3]
                self.go_on(shape, version, mended_ms, fact.body, CORRECTED, reason)
        elif fate < CORRECTED_OF_4096 + ANNULLED_OF_4096:
            self._write(shape, version, fact.recorded_ms, fact.body, word)
            annulled = self.go_on(shape, version, mended_ms, None, ANNULLED, CANCELLED)
            if later >> 62 < REINSTATED_OF_4:
                again_ms = mended_ms + self.delay("correction", later >> 30 & 0xFFFFFFFF)
                self.go_on(shape, annulled, again_ms, fact.body, REINSTATED, _CANCELLATION_REMOVED)
        else:
            self._of_the_wrong_person(shape, fact, version, mended_ms, word)

    def _of_the_wrong_person(self, shape: Shape, fact: Fact, version: Version, mended_ms: int, word: int) -> None:
        """Told of somebody else, annulled under that key, and created under the right one as another record."""
        amount = len(self.people) - FIRST // STRIDE
        subject, key = self.people.key(FIRST + ((word >> 12 & 0xFFFFFFFF) * amount >> 32) * STRIDE)
        wrong = version._replace(subject=subject, key=key)
        self._write(shape, wrong, fact.recorded_ms, fact.body, word)
        annulled = self.go_on(shape, wrong, mended_ms, None, ANNULLED, _WRONG_SUBJECT)
        # Another record: a digit more than others have.
        another = b"\x18" + version.record_id[1:] + b"9"
        right = version._replace(record_id=another, event_id=next(self._uuids))
        self._write(
            shape, right, mended_ms + APART_MS, fact.body, word, CREATED, _WRONG_SUBJECT, SOME + annulled.event_id
        )

    def _write(
        self,
        shape: Shape,
        version: Version,
        recorded_ms: int,
        body: Body | None,
        word: int,
        change: bytes = CREATED,
        reason: bytes = NULL,
        supersedes: bytes = NULL,
    ) -> None:
        received_ms = recorded_ms + 500 + (word >> 53)
        if received_ms < self._start_ms or not self._wanted[shape.number]:
            return
        head = (
            version.event_id, change, reason, version.record_id, SOME + zigzag(version.number), supersedes,
            version.life, instants(recorded_ms, received_ms, self._tops), version.occurred, version.record_id,
            version.subject, version.related, version.protection,
        )  # fmt: skip
        event = self._teller.later(shape, head, body)
        row = (received_ms << 3 | self.people.county, shape.number, version.key, event, None)
        self.due[received_ms // DAY_MS].append(row)
