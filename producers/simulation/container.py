"""Simulated records in a file: an Avro object container, which every Avro library reads.

A record holds a Kafka key and a value in the Confluent wire format, as they are sent, and what the exchange must make
of them. The schema id in the value's frame is 0: whoever publishes puts the registry's in. Source: Avro 1.12
specification, "Object Container Files".
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, BinaryIO, NamedTuple

import fastavro
import orjson

from producers.simulation.due import Received, in_order
from producers.simulation.native import extension
from producers.simulation.rows import PLACEHOLDER, Note, Outcome
from producers.simulation.shapes import EVENT_TYPES
from producers.simulation.splice import COUNTS, NULL, SOME, text
from producers.simulation.splice import array as avro_array
from producers.simulation.types import types
from tidings.errors import BadInput, Problem
from tidings.wire import zigzag

EXPECTED = ("accepted", "rejected", "duplicate")
SCHEMA = {
    "type": "record",
    "name": "SimulatedRecord",
    "namespace": "tidings.simulation",
    "fields": [
        {"name": "event_type", "type": "string"},
        {"name": "agency", "type": "string"},
        {"name": "expected", "type": {"type": "enum", "name": "Expected", "symbols": list(EXPECTED)}},
        {"name": "codes", "type": {"type": "array", "items": "string"}, "doc": "Why it is rejected."},
        {
            "name": "flags",
            "type": {"type": "array", "items": "string"},
            "doc": "What the publisher is told all the same.",
        },
        {"name": "fault", "type": ["null", "string"], "doc": "The kind of bad record."},
        {"name": "key", "type": ["null", "bytes"]},
        {"name": "value", "type": ["null", "bytes"], "doc": "In the Confluent wire format; the schema id is 0."},
    ],
}
MAGIC = b"Obj\x01"
_ORDINARY = COUNTS[EXPECTED.index("accepted")] + b"\x00\x00" + NULL + SOME
_SHORT = len(COUNTS) - len(PLACEHOLDER)


@dataclass(frozen=True, slots=True)
class Stored:
    """One record of a container. Neither key nor value is in its repr."""

    event_type: str
    agency: str
    expected: str
    codes: tuple[str, ...]
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)


def header(settings: Mapping[str, str]) -> tuple[bytes, bytes]:
    """The head of a container and the marker that stands after each block; both follow from the settings."""
    about = orjson.dumps(dict(sorted(settings.items())))
    marker = hashlib.blake2b(about, digest_size=16).digest()
    entries = {"avro.schema": orjson.dumps(SCHEMA), "avro.codec": b"null", "tidings.simulation": about}
    written = b"".join(text(name) + zigzag(len(value)) + value for name, value in entries.items())
    return MAGIC + zigzag(len(entries)) + written + b"\x00" + marker, marker


def block(data: bytes, amount: int, marker: bytes) -> bytes:
    """`amount` records, one behind the other, as one block."""
    return b"".join((zigzag(amount), zigzag(len(data)), data, marker))


class Framed(NamedTuple):
    """Records one behind the other: when each is received, with its county's bits, and how long it is; by place, the
    expected outcomes of those that are not simply accepted."""

    at: array[int]
    lengths: array[int]
    data: bytes
    outcomes: dict[int, Outcome]


def frame(received: Sequence[Received]) -> Framed:
    """What is received in a week as records, in the order of time, in the native extension where it is built."""
    native = extension()
    if native is None:
        return python_frame(received)
    outcomes: dict[int, Outcome] = {}

    def odd(place: int, kind: int, key: bytes, body: bytes, note: Note) -> bytes:
        outcomes[place] = note.expected
        return _odd(kind, key, body, note)

    at, lengths, data = native.frame(received, _starts(), PLACEHOLDER, odd)
    return Framed(array("Q", at), array("I", lengths), data, outcomes)


def python_frame(received: Sequence[Received]) -> Framed:
    """The same in Python."""
    rows = in_order(received)
    outcomes = {at: row[4].expected for at, row in enumerate(rows) if row[4] is not None}
    starts, counts, join = _starts(), COUNTS, b"".join
    made = [
        join((starts[kind], counts[len(key)], key, SOME, counts[len(body) + 5], PLACEHOLDER, body))
        if note is None and len(body) < _SHORT
        else _odd(kind, key, body, note)
        for _, kind, key, body, note in rows
    ]
    return Framed(array("Q", [row[0] for row in rows]), array("I", map(len, made)), join(made), outcomes)


def merge(framed: Sequence[Framed]) -> bytes:
    """All records in the order of time, in the native extension where it is built. A time names its county, so that no
    two of different processes are equal: the order is that of one process."""
    native = extension()
    if len(framed) == 1:
        return framed[0].data
    if native is None:
        return python_merge(framed)
    merged: bytes = native.merge([(each.at.tobytes(), each.lengths.tobytes(), each.data) for each in framed])
    return merged


def python_merge(framed: Sequence[Framed]) -> bytes:
    """The same in Python."""
    found = split(framed)
    return b"".join([found[place] for place in order_of(framed)])


def order_of(framed: Sequence[Framed]) -> list[int]:
    """The places of all records, as `split` has them, in the order of time."""
    at = [each for some in framed for each in some.at]
    return sorted(range(len(at)), key=at.__getitem__)


def split(framed: Sequence[Framed]) -> list[bytes]:
    """Each record by itself."""
    return [some.data[start:end] for some in framed for start, end in pairwise(accumulate(some.lengths, initial=0))]


def _odd(kind: int, key: bytes, body: bytes, note: Note | None) -> bytes:
    """A record that is long, or of which there is something to note."""
    raw = (key, PLACEHOLDER + body) if note is None or note.raw is None else note.raw
    start = _starts()[kind]
    if note is not None:
        start = start.removesuffix(_ORDINARY) + zigzag(EXPECTED.index(note.expected))
        start += avro_array([text(code) for code in note.codes]) + avro_array([text(flag) for flag in note.flags])
        start += NULL if note.fault is None else SOME + text(note.fault)
    else:
        start = start.removesuffix(SOME)
    return start + b"".join(NULL if each is None else SOME + zigzag(len(each)) + each for each in raw)


@cache
def _starts() -> list[bytes]:
    """How the record of a kind begins, when there is nothing to note, up to its key."""
    return [text(name) + text(types().owners[name]) + _ORDINARY for name in EVENT_TYPES]


def read(file: BinaryIO, name: str) -> Iterator[Stored]:
    """The records of a container, in order. Raises BadInput where it is none."""
    try:
        found = fastavro.reader(file)
        schema: Any = found.writer_schema
        is_ours = schema["name"] == f"{SCHEMA['namespace']}.{SCHEMA['name']}"
    except Exception:  # noqa: BLE001 - fastavro raises many kinds, and their text may hold a value
        is_ours = False
    if not is_ours:
        raise BadInput([Problem(name, 0, "", "container", "not a container of `tidings simulate --out`")])
    each: Any
    for each in found:
        codes = tuple(each["codes"])
        yield Stored(each["event_type"], each["agency"], each["expected"], codes, each["key"], each["value"])
