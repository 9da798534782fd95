"""Pieces of events that are Avro already: dates, instants, ids, names and addresses, each looked up in a table.

The tables are small on purpose: together they stay in a core's second cache, and a look-up there costs a tenth of one
in memory.
"""

from __future__ import annotations

import struct
import sys
import tomllib
from array import array
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from producers.simulation.splice import COUNTS, NULL, SOME, text
from producers.simulation.splice import array as avro_array
from producers.simulation.types import types
from tidings.wire import zigzag

EPOCH_DAY = date(1970, 1, 1).toordinal()
GIVEN_NAMES, FAMILY_NAMES, STREETS, UNITS, TOWNS = 1 << 10, 1 << 9, 1 << 11, 1 << 10, 1 << 4
UUID_BYTES = 37
_UUIDS = 512
"""How many ids are made at once."""


class Days(dict[int, bytes]):
    """PartialDates by the day since 1970, as a union's branch, made when they are first asked for."""

    def __init__(self, *, day: bool = True) -> None:
        super().__init__()
        self._day = day

    def __missing__(self, number: int) -> bytes:
        at = date.fromordinal(EPOCH_DAY + number)
        value = {"year": at.year, "month": at.month, "day": at.day if self._day else None}
        self[number] = found = types().constant(["null", "tidings.types.PartialDate"], value)
        return found


class Tops(dict[int, int]):
    """The last two bytes of an instant's six as a number, by its milliseconds since 1970 without the lowest 27 bits."""

    def __missing__(self, high: int) -> int:
        self[high] = found = int.from_bytes(zigzag(high << 27)[4:], "little")
        return found


INSTANTS = struct.Struct("<BHHHHHH")
"""Two instants, the first as a union's branch. From `FIRST_MS` to `LAST_MS` one takes six bytes, of which all but the
last have their highest bit set. Source: Avro 1.12, "Binary Encoding"."""
FIRST_MS, LAST_MS = 1 << 34, 1 << 41
"""1970-07-18, and 2039-09-07, which is the first instant of seven bytes."""


def _pair(bits: int) -> int:
    """Two bytes of an instant that is not over: seven bits each, the lower ones first, as a little-endian number."""
    return bits & 0x7F | bits << 1 & 0x7F00 | 0x8080


PAIRS = (
    array("H", [_pair(bits << 1) for bits in range(1 << 13)]),
    array("H", [_pair(bits) for bits in range(1 << 14)]),
)
"""An instant's first two bytes by the lowest 13 bits of its milliseconds (the sign's bit is below them), and its third
and fourth by the 14 bits above."""


def instants(first_ms: int, then_ms: int, tops: Tops) -> bytes:
    """`recorded_at` and `received_at`."""
    low, middle = PAIRS
    return INSTANTS.pack(
        2, low[first_ms & 0x1FFF], middle[first_ms >> 13 & 0x3FFF], tops[first_ms >> 27],
        low[then_ms & 0x1FFF], middle[then_ms >> 13 & 0x3FFF], tops[then_ms >> 27],
    )  # fmt: skip


def uuids(seed: str) -> Iterator[bytes]:
    """Random uuids, version 4, as Avro strings, from a seed, without end."""
    random = Random(seed)  # noqa: S311 (made-up people, not secrets)
    while True:
        block = uuids_of(random.randbytes(16 * _UUIDS))
        for at in range(0, len(block), UUID_BYTES):
            yield block[at : at + UUID_BYTES]


def uuids_of(random: bytes) -> bytes:
    """A uuid of each 16 random bytes, version 4, as Avro strings one behind the other. Source: RFC 9562, version 4."""
    # Digits are put in place for all ids at once, position by position.
    digits, amount = random.hex().encode(), len(random) // 16
    block = bytearray(b"\x48" + b"-" * 36) * amount
    for at, place in enumerate(_DIGITS):
        block[place::UUID_BYTES] = digits[at::32]
    block[15::UUID_BYTES] = b"4" * amount
    block[20::UUID_BYTES] = digits[16::32].translate(_VARIANT)
    return bytes(block)


_DIGITS = [place for place in range(1, UUID_BYTES) if place not in (9, 14, 19, 24)]
_VARIANT = bytes.maketrans(b"0123456789abcdef", b"89ab89ab89ab89ab")


def words(seed: str) -> Iterator[int]:
    """Random numbers of 64 bits from a seed, without end; the same on every machine."""
    random = Random(seed)  # noqa: S311 (made-up people, not secrets)
    while True:
        yield from as_words(random.randbytes(8 * 1024))


def as_words(random: bytes) -> array[int]:
    """Random bytes as numbers of 64 bits, the same on every machine."""
    found = array("Q", random)
    if sys.byteorder == "big":
        found.byteswap()
    return found


class Names:
    """Given and family names by number: `given` are arrays of one or two, for women and men; `family` are texts."""

    def __init__(self) -> None:
        lists = vocabulary()
        self.given = tuple(_given(lists["given"][sex]) for sex in ("female", "male"))
        first, last = lists["family"]["first"], lists["family"]["last"]
        self.family = [
            SOME + text(first[at % len(first)] + last[at // len(first) % len(last)]) for at in range(FAMILY_NAMES)
        ]


def _given(names: Sequence[str]) -> list[bytes]:
    """By ten bits: two names, of which the first ones of the list come most often, or one in half of the cases."""
    often = [names[int(len(names) * (at / 32) ** 1.6)] for at in range(32)]
    found = []
    for at in range(GIVEN_NAMES):
        one, other = often[at & 31], often[at >> 5]
        found.append(avro_array([text(one), text(other)] if at % 3 and one != other else [text(one)]))
    return found


class Addresses:
    """The parts of an address by its number of 32 bits: see `Portraits.lines`."""

    def __init__(self) -> None:
        places = vocabulary()["places"]
        streets, towns = places["streets"], places["towns"]
        if len(towns) != TOWNS:
            raise ValueError(f"words.toml has {TOWNS} towns")
        self.street = [text(f"{1 + at // len(streets)} {streets[at % len(streets)]}") for at in range(STREETS)]
        self.town = [text(town) for town, _ in towns]
        self.outward = [SOME + COUNTS[7] + f"{district} ".encode() for _, district in towns]
        letters = "ABDEFGHJLNPQRSTU"
        self.inward = [f"{at % 10}{letters[at % 16]}{letters[at // 16 % 16]}".encode() for at in range(UNITS)]
        self.districts = [SOME + text(f"{town} and District") for town, _ in towns]
        self.abroad = [SOME + text(country) for country in places["abroad"]]


@cache
def vocabulary() -> dict[str, Any]:
    """The lists of `words.toml`."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8"))


@cache
def names() -> Names:
    """The tables of names, made once a process."""
    return Names()


@cache
def addresses() -> Addresses:
    """The tables of addresses, made once a process."""
    return Addresses()


@cache
def days() -> Days:
    """Whole dates, shared by all that is written in a process."""
    return Days()


@cache
def months() -> Days:
    """Dates whose day nobody knows, likewise."""
    return Days(day=False)


@cache
def birth_dates() -> tuple[list[bytes], list[bytes]]:
    """A year by its number since 1850, and month with day by `month << 5 | day`, of which day 0 is one that nobody
    knows: what `{"year": …, "month": …, "day": TAKEN}` asks for."""
    month_days = [SOME + zigzag(at >> 5) + (SOME + zigzag(at & 31) if at & 31 else NULL) for at in range(13 << 5)]
    return [zigzag(1850 + at) for at in range(350)], month_days


@cache
def sexes() -> tuple[bytes, ...]:
    """Female, male, not specified, indeterminate: as a union's branch."""
    named = types().named["tidings.types.Sex"]
    order = ("FEMALE", "MALE", "NOT_SPECIFIED", "INDETERMINATE")
    return tuple(SOME + types().constant(named, each) for each in order)


def whole_number(number: int | None) -> bytes:
    """A long or int, or null, as a union's branch."""
    return NULL if number is None else SOME + zigzag(number)


def flag(value: bool | None) -> bytes:
    """A boolean or null as a union's branch."""
    return NULL if value is None else SOME + (b"\x01" if value else b"\x00")
