"""Makes rows of facts that are told rightly: the hot loop, in the native extension where it is built, else in Python.

Both make the same rows, by test.
"""

from __future__ import annotations

import sys
from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from producers.simulation.native import extension
from producers.simulation.people import FIRST, NHS_OF_COUNTY, STATE, STRIDE, People
from producers.simulation.pieces import INSTANTS, PAIRS, UUID_BYTES, Tops, uuids_of
from producers.simulation.portraits import PROTECTIONS, Pieces
from producers.simulation.rates import DAY_MS
from producers.simulation.rows import Row
from producers.simulation.shapes import Shape

CORRECTED_OF_4096, ANNULLED_OF_4096, WRONG_SUBJECT_OF_4096 = 164, 58, 20
"""Of 4096 records: told wrongly and corrected (4 %), told and annulled (1.4 %), told of the wrong person (0.5 %)."""
WRONG_OF_4096 = CORRECTED_OF_4096 + ANNULLED_OF_4096 + WRONG_SUBJECT_OF_4096
WORD_BYTES, RANDOM_BYTES = 8, 24
"""A fact takes a word of 64 random bits and the 16 bytes of an id: first come all words, then all ids."""

Told: TypeAlias = tuple[int, int, bytes, Pieces, bytes, bytes]
"""The parts of a `scribe.Fact`, in their order."""
Due: TypeAlias = defaultdict[int, list[Row]]
"""Rows that wait, by the day since 1970 on which they are received."""
Tell: TypeAlias = Callable[[Shape, int, Sequence[Told], bytes], Sequence[int]]
"""Takes the facts of a shape, the serial of the last record before them, and `RANDOM_BYTES` for each. Their rows are
put into `Due`. Returns the places of facts that are to be told wrongly, for which no row is made."""


def record_id(county: int, number: int, serial: int) -> bytes:
    """Eleven digits as Avro: the county, the event type, and a number counting up."""
    return b"\x16%d%02d%08d" % (county + 1, number, serial)


def teller(people: People, shapes: Sequence[Shape], start_ms: int, due: Due) -> Tell:
    """Whichever is there."""
    native = extension()
    if native is None:
        return python_teller(people, start_ms, due)
    return native_teller(native.Teller, people, shapes, start_ms, due)


def native_teller(made_by: Any, people: People, shapes: Sequence[Shape], start_ms: int, due: Due) -> Tell:
    """The extension's."""
    places = {id(shape): at for at, shape in enumerate(shapes)}
    between = [(shape.number, shape.first.parts[::2]) for shape in shapes]
    nhs_numbers = people.county * NHS_OF_COUNTY, NHS_OF_COUNTY
    native = made_by(people.county, start_ms, STRIDE, FIRST, WRONG_OF_4096, nhs_numbers, between)
    write, of, new_ids = native.tell, people.of, people.new_ids

    def tell(shape: Shape, serial: int, facts: Sequence[Told], random: bytes) -> Sequence[int]:
        wrong: list[int] = write(places[id(shape)], serial, facts, random, of, new_ids, due)
        return wrong

    return tell


def python_teller(people: People, start_ms: int, due: Due) -> Tell:
    """The same in Python."""
    of, key_of, county, tops = people.of, people.key, people.county, Tops()
    pack, (low, middle) = INSTANTS.pack, PAIRS

    def tell(shape: Shape, serial: int, facts: Sequence[Told], random: bytes) -> Sequence[int]:
        wrong, parts, number = [], shape.first.parts, shape.number
        words, ids = array("Q", random[: len(facts) * WORD_BYTES]), uuids_of(random[len(facts) * WORD_BYTES :])
        if sys.byteorder == "big":
            words.byteswap()
        for at, (person, recorded_ms, occurred, body, life, related) in enumerate(facts):
            word = words[at]
            if word & 0xFFF < WRONG_OF_4096 and person >= FIRST:
                wrong.append(at)
                continue
            received_ms = recorded_ms + 500 + (word >> 53)
            if received_ms < start_ms:
                continue
            subject, key = key_of(person)
            record = record_id(county, number, serial + at + 1)
            parts[1::2] = (
                ids[at * UUID_BYTES : (at + 1) * UUID_BYTES], record, life,
                pack(
                    2, low[recorded_ms & 0x1FFF], middle[recorded_ms >> 13 & 0x3FFF], tops[recorded_ms >> 27],
                    low[received_ms & 0x1FFF], middle[received_ms >> 13 & 0x3FFF], tops[received_ms >> 27],
                ),
                occurred, record, subject, related, PROTECTIONS[of[person + STATE] & 12], *body,
            )  # fmt: skip
            due[received_ms // DAY_MS].append((received_ms << 3 | county, number, key, b"".join(parts), None))
        return wrong

    return tell
