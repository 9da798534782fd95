"""Facts that are told wrongly at first, and what puts them right: wrongly written, never held, or of another person.

This is Python's; `native/src/simulation/mending.rs` writes the same, by test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from producers.simulation.mistakes import mistaken
from producers.simulation.people import FIRST, STRIDE, People
from producers.simulation.pieces import UUID_BYTES, as_words, uuids_of
from producers.simulation.rates import STEPS
from producers.simulation.shapes import ANNULLED, CORRECTED, CREATED, REINSTATED, Shape
from producers.simulation.splice import SOME, text
from producers.simulation.versions import APART_MS, Fact, Version, Versions

CORRECTED_OF_4096, ANNULLED_OF_4096, WRONG_SUBJECT_OF_4096 = 164, 58, 20
"""Of 4096 records: told wrongly and corrected (4 %), told and annulled (1.4 %), told of the wrong person (0.5 %)."""
WRONG_OF_4096 = CORRECTED_OF_4096 + ANNULLED_OF_4096 + WRONG_SUBJECT_OF_4096
REINSTATED_OF_4 = 1
"""Of four annulments, so many were wrong themselves."""
MORE_BYTES = 72
"""A wrong fact takes three words of 64 random bits and three ids more than a right one."""
_WORDS_BYTES = 24
_REASONS = [SOME + text(reason) for reason in ("formal_correction", "quality_assurance", "typographical")]
CANCELLED, _CANCELLATION_REMOVED, _WRONG_SUBJECT = (
    SOME + text(reason) for reason in ("cancelled", "cancellation_removed", "wrong_subject")
)
REASONS = (*_REASONS, CANCELLED, _CANCELLATION_REMOVED, _WRONG_SUBJECT)
"""In the order in which the extension takes them."""


class Chance(NamedTuple):
    """What a wrong fact draws: the word that made it wrong, three more, and three ids."""

    word: int
    more: Sequence[int]
    ids: Sequence[bytes]

    @classmethod
    def of(cls, word: int, random: bytes) -> Chance:
        """Of `MORE_BYTES`."""
        ids = uuids_of(random[_WORDS_BYTES:])
        return cls(
            word, as_words(random[:_WORDS_BYTES]),
            [ids[at : at + UUID_BYTES] for at in range(0, len(ids), UUID_BYTES)],
        )  # fmt: skip


class Mender:
    """Tells facts of one county wrongly, and puts them right. `delays` are those of corrections, by quantile."""

    def __init__(self, people: People, versions: Versions, delays: Sequence[int]) -> None:
        self._people, self._versions, self._delays = people, versions, delays

    def tell(self, shape: Shape, fact: Fact, record_id: bytes, chance: Chance) -> None:
        """One fact, and all that follows upon it."""
        word, (later, then, _), ids = chance
        versions, fate = self._versions, word & 0xFFF
        version, mended_ms = versions.first(fact, record_id, ids[0]), fact.recorded_ms + self._delay(later)
        second = ids[1], then
        if fate < CORRECTED_OF_4096:
            wrong = mistaken(shape, fact.body, later)
            versions.write(shape, version, fact.recorded_ms, wrong or fact.body, word)
            if wrong is not None:
                reason = _REASONS[(later >> 56) % 3]
                versions.go_on(shape, version, mended_ms, fact.body, second, CORRECTED, reason)
        elif fate < CORRECTED_OF_4096 + ANNULLED_OF_4096:
            versions.write(shape, version, fact.recorded_ms, fact.body, word)
            annulled = versions.go_on(shape, version, mended_ms, None, second, ANNULLED, CANCELLED)
            if later >> 62 < REINSTATED_OF_4:
                again_ms, third = mended_ms + self._delay(later >> 30), (ids[2], chance.more[2])
                versions.go_on(shape, annulled, again_ms, fact.body, third, REINSTATED, _CANCELLATION_REMOVED)
        else:
            self._of_the_wrong_person(shape, fact, version, mended_ms, chance)

    def _of_the_wrong_person(self, shape: Shape, fact: Fact, version: Version, mended_ms: int, chance: Chance) -> None:
        """Told of somebody else, annulled under that key, and created under the right one as another record."""
        versions, word, ids = self._versions, chance.word, chance.ids
        amount = len(self._people) - FIRST // STRIDE
        subject, key = self._people.key(FIRST + ((word >> 12 & 0xFFFFFFFF) * amount >> 32) * STRIDE)
        wrong = version._replace(subject=subject, key=key)
        versions.write(shape, wrong, fact.recorded_ms, fact.body, word)
        second = ids[1], chance.more[1]
        annulled = versions.go_on(shape, wrong, mended_ms, None, second, ANNULLED, _WRONG_SUBJECT)
        # Another record: a digit more than others have.
        right = version._replace(record_id=b"\x18" + version.record_id[1:] + b"9", event_id=ids[2])
        supersedes = SOME + annulled.event_id
        versions.write(shape, right, mended_ms + APART_MS, fact.body, word, CREATED, _WRONG_SUBJECT, supersedes)

    def _delay(self, bits: int) -> int:
        bits &= 0xFFFFFFFF
        return self._delays[bits % STEPS] + (bits >> 10)
