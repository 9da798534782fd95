"""Registers of things, kept by entries: a key begins, changes its name, ends, is reinstated, and begins anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_uppercase
from typing import NamedTuple

from producers.simulation.pieces import days, vocabulary
from producers.simulation.rates import DAY_MS
from producers.simulation.scribe import Scribe
from producers.simulation.shapes import CHANGED, CREATED, ENDED, REINSTATED
from producers.simulation.splice import NULL, SOME, text
from producers.simulation.versions import APART_MS, Fact


class Entry(NamedTuple):
    """A key's last entry. `start` and `end` are days since 1970."""

    version: int
    name: int
    start: int
    end: int | None


@dataclass(frozen=True)
class Register:
    """One register: its event type, the scheme of its keys, and keys that are nobody's."""

    event_type: str
    scheme: str
    keys: tuple[str, ...]
    types: tuple[str, ...] = ()


# ISO 3166-1 leaves these codes to its users, so that no country has them. No authority's code begins with Q, X or Z.
_COUNTRIES = ("AA", *(f"Q{each}" for each in ascii_uppercase[12:]), *(f"X{each}" for each in ascii_uppercase), "ZZ")
_AUTHORITIES = tuple(f"{a}{b}{c}" for a in "QXZ" for b in ascii_uppercase for c in ascii_uppercase)
REGISTERS = (
    Register("country", "country", _COUNTRIES),
    Register("local-authority", "local-authority-eng", _AUTHORITIES, ("UA", "MD", "NMD", "LBO", "CTY")),
)


class Keeper:
    """Makes the entries of one register."""

    def __init__(self, register: Register, scribe: Scribe, words: Iterator[int]) -> None:
        self._register, self._scribe, self._words = register, scribe, words
        self._entries: dict[str, Entry] = {}
        self._days = days()
        self._last_ms = 0
        self._towns = [town for town, _ in vocabulary()["places"]["towns"]]

    def enter(self, first_day: int, days_: int, amount: int) -> None:
        """So many entries of some days, each about some key."""
        span_ms = days_ * DAY_MS
        for offset_ms in sorted((next(self._words) & 0xFFFFFFFF) * span_ms >> 32 for _ in range(amount)):
            self._last_ms = max(self._last_ms + APART_MS, first_day * DAY_MS + offset_ms // 1000 * 1000)
            self._enter(next(self._words), self._last_ms)

    def _enter(self, word: int, recorded_ms: int) -> None:
        day = recorded_ms // DAY_MS
        key = self._register.keys[(word & 0xFFFFFFFF) * len(self._register.keys) >> 32]
        before = self._entries.get(key)
        change, entry = _following(before, word >> 32, day)
        self._entries[key] = entry
        start, end = self._days[entry.start], NULL if entry.end is None else self._days[entry.end]
        occurred = start if change == CREATED else end if change == ENDED else NULL
        fact = Fact(0, recorded_ms, occurred, (*self._texts(key, entry, start, end),))
        self._scribe.enter(self._register.event_type, self._register.scheme, key, entry.version, change, fact)

    def _texts(self, key: str, entry: Entry, start: bytes, end: bytes) -> Iterator[bytes]:
        """The pieces of the body. An entry's texts follow from its name's number."""
        town = self._towns[entry.name % len(self._towns)]
        kinds = self._register.types
        texts = (
            (key, kinds[entry.name % len(kinds)], town, f"{town} Council")
            if kinds
            else (key, town, f"The Republic of {town}", f"{town}er;Citizen of {town}")
        )
        yield from (SOME + text(each) for each in texts)
        yield start
        yield end


def _following(before: Entry | None, word: int, day: int) -> tuple[bytes, Entry]:
    """What becomes of a key, and its next entry. An end never comes before its start."""
    name = word >> 4 & 0xFF
    if before is None:
        return CREATED, Entry(1, name, day - (word >> 12 & 0x1FFF), None)
    version = before.version + 1
    if before.end is None:
        if word & 3:
            return CHANGED, Entry(version, name, before.start, None)
        return ENDED, Entry(version, before.name, before.start, max(before.start, day - (word >> 12 & 0xF)))
    if word & 3 == 0:
        return CHANGED, Entry(version, name, before.start, before.end)
    if word & 3 == 1 or day <= before.end + 1:
        return REINSTATED, Entry(version, before.name, before.start, None)
    return CREATED, Entry(version, name, before.end + 1, None)
