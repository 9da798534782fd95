"""Versions of records: the first one of a fact, and what follows upon it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from producers.simulation.due import Due
from producers.simulation.people import STATE, People
from producers.simulation.pieces import Tops, instants
from producers.simulation.portraits import PROTECTIONS, Body, Pieces, Portraits, Related
from producers.simulation.shapes import CREATED, Shape
from producers.simulation.splice import NULL, SOME
from tidings.wire import zigzag

APART_MS = 3000
"""Two records so far apart are received in the order in which they are recorded."""
NO_LIFE = NULL
NO_RELATED: tuple[Related, ...] = ()


class Fact(NamedTuple):
    """What is told of a person: when it is recorded, the date on which it happened as Avro, the body's parts, and the
    others whom it names. What is hot makes a plain `telling.Told` of the same, in a quarter of the time."""

    person: int
    recorded_ms: int
    occurred: bytes
    body: Body
    life: bytes = NO_LIFE
    related: tuple[Related, ...] = NO_RELATED


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


class Versions:
    """Writes versions of a county's records. `later` is that of a `telling.Teller`."""

    def __init__(
        self,
        people: People,
        portraits: Portraits,
        later: Callable[[Shape, Pieces, Body | None], bytes],
        start_ms: int,
        due: Due,
    ) -> None:
        self._people, self._portraits, self._later = people, portraits, later
        self._start_ms, self._due, self._tops = start_ms, due, Tops()

    def first(self, fact: Fact, record_id: bytes, event_id: bytes) -> Version:
        """A fact's first version, not yet written."""
        subject, key = self._people.key(fact.person)
        protection = PROTECTIONS[self._people.of[fact.person + STATE] & 12]
        related = self._portraits.related(fact.related)
        return Version(record_id, event_id, 1, fact.life, fact.occurred, subject, key, related, protection)

    def go_on(
        self,
        shape: Shape,
        before: Version,
        recorded_ms: int,
        body: Body | None,
        made: tuple[bytes, int],
        change: bytes,
        reason: bytes = NULL,
    ) -> Version:
        """The next version, written with an id and a word of 64 random bits; without a body it is an annulment."""
        event_id, word = made
        version = before._replace(event_id=event_id, number=before.number + 1)
        self.write(shape, version, recorded_ms, body, word, change, reason, SOME + before.event_id)
        return version

    def write(
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
        """Write a version. What is received before the country's start is left out."""
        received_ms = recorded_ms + 500 + (word >> 53)
        if received_ms < self._start_ms:
            return
        head = (
            version.event_id, change, reason, version.record_id, SOME + zigzag(version.number), supersedes,
            version.life, instants(recorded_ms, received_ms, self._tops), version.occurred, version.record_id,
            version.subject, version.related, version.protection,
        )  # fmt: skip
        event = self._later(shape, head, body)
        self._due.put(received_ms << 3 | self._people.county, shape.number, version.key, event)
