"""Puts bad records and repeats among a county's rows, each kind at its share."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

import fastavro

from producers.simulation.due import Rows
from producers.simulation.faults import FAULTS, USED_ID, Fault
from producers.simulation.fields import Draft, number
from producers.simulation.people import COUNTIES
from producers.simulation.pieces import UUID_BYTES, uuids
from producers.simulation.rates import DAY_MS
from producers.simulation.rows import PLACEHOLDER, Note, Row
from producers.simulation.settings import Settings
from producers.simulation.shapes import CHANGED, CREATED, EVENT_TYPES
from producers.simulation.types import types
from tidings.wire import zigzag

DUPLICATE = "duplicate"
TRIES = 6
"""How many rows are tried for one that a fault fits. What a week was too short for, the next one owes."""
ONE_FOR = 4
"""Of the rows that a fault can fit, it spoils at most one in so many: where they are rare, it stays below its share."""
_NEW = (CREATED, CHANGED)
WITHIN_MS = 600_000
"""A bad record comes at most so long before the sound one, a repeat at most so long after it."""


class Spoiler:
    """Spoils rows of one county. Shares are kept by debts: what a week was too short for, the next one owes."""

    def __init__(self, county: int, settings: Settings) -> None:
        self._random = Random(f"{settings.seed}/{county}/faults")  # noqa: S311 (made-up faults, not secrets)
        self._uuids = uuids(f"{settings.seed}/{county}/bad-ids")
        self._start_ms = settings.start_ms
        even = settings.bad_share / len(FAULTS)
        shares = dict.fromkeys(FAULTS, even) | dict(settings.faults) | {DUPLICATE: settings.duplicate_share}
        sound = 1 - sum(shares.values())
        # Per sound row, so that the share is one of all rows.
        self._rates = {name: share / sound for name, share in shares.items() if share > 0}
        self._debts = {name: self._random.random() for name in self._rates}

    def spoil(self, rows: Rows) -> list[Row]:
        """The bad rows that are due beside a week's sound ones."""
        made: list[Row] = []
        by_kind: dict[int, list[int]] = {}
        for at, kind in enumerate(rows.kinds()):
            by_kind.setdefault(kind, []).append(at)
        for name, rate in self._rates.items():
            self._debts[name] += rate * len(rows)
            if self._debts[name] >= 1:
                kinds = _fitting(name)
                fit = range(len(rows)) if kinds is None else [at for kind in kinds for at in by_kind.get(kind, ())]
                some = self._some(name, rows, fit, min(int(self._debts[name]), -(-len(fit) // ONE_FOR)))
                self._debts[name] -= len(some)
                made += some
        return made

    def _some(self, name: str, rows: Rows, fit: Sequence[int], amount: int) -> list[Row]:
        """At most so many bad rows of a kind."""
        made: list[Row] = []
        for _ in range(amount * TRIES):
            if len(made) == amount:
                break
            row = rows[fit[int(self._random.random() * len(fit))]]
            apart = 1 + int(self._random.random() * WITHIN_MS)
            if name == DUPLICATE:
                made.append((self._after(row, apart), *row[1:4], Note("duplicate")))
            elif name == USED_ID:
                made.append(self._used_id(row, apart))
            elif (bad := self._bad(FAULTS[name], row, apart)) is not None:
                made.append(bad)
        return made

    def _after(self, row: Row, apart: int) -> int:
        """Later on the same day: within the window in which the exchange knows an id again."""
        last = (row[0] >> 3) // DAY_MS * DAY_MS + DAY_MS - 1
        return min((row[0] >> 3) + apart, last) * COUNTIES + (row[0] & 7)

    def _used_id(self, row: Row, apart: int) -> Row:
        event = Draft(row[1], row[3])
        received_ms, _ = number(event.value("received_at") or b"")
        event.put("received_at", zigzag(received_ms + 1))
        note = Note("rejected", FAULTS[USED_ID].expects(EVENT_TYPES[row[1]]), fault=USED_ID)
        return self._after(row, apart), row[1], row[2], event.body, note

    def _bad(self, fault: Fault, row: Row, apart: int) -> Row | None:
        """The row spoiled, earlier than the row itself; None where the fault does not fit it."""
        event_type = EVENT_TYPES[row[1]]
        event_id, key, body = next(self._uuids), row[2], row[3]
        if fault.spoil is not None:
            if body[UUID_BYTES : UUID_BYTES + 1] not in _NEW:  # the event's second field
                return None
            event = Draft(row[1], event_id + body[UUID_BYTES:])  # the event's first field
            if not fault.spoil(event, fault.paths[event_type]):
                return None
            body = event.body
            if fault.paths[event_type] == "subject":
                key = _key(event)
        else:
            body = event_id + body[UUID_BYTES:]
        sound = (key, PLACEHOLDER + body)
        raw, reasons = fault.mangle(sound), fault.expects(event_type)
        changed = None if raw == sound else raw
        if fault.flags:
            note = Note("accepted", (), reasons, fault.name, changed)
        else:
            note = Note("rejected", reasons, (), fault.name, changed)
        first_ms = max((row[0] >> 3) // DAY_MS * DAY_MS, self._start_ms)
        return max((row[0] >> 3) - apart, first_ms) * COUNTIES + (row[0] & 7), row[1], key, body, note


def _key(event: Draft) -> bytes:
    """The Kafka key of an event: see `producers.encode.key_of`."""
    scheme, value = (event.value(f"subject.{name}") or b"" for name in ("scheme", "value"))
    return scheme[1:] + b":" + value[1:]


@cache
def _fitting(name: str) -> tuple[int, ...] | None:
    """The kinds of row that a fault can fit; None for all."""
    fault = FAULTS.get(name)
    if fault is None or fault.spoil is None:
        return None
    return tuple(EVENT_TYPES.index(event_type) for event_type in fault.paths)


def decode(kind: int, body: bytes) -> dict[str, Any]:
    """The event of an Avro body."""
    event: Any = fastavro.schemaless_reader(io.BytesIO(body), _parsed(kind), None)
    found: dict[str, Any] = event
    return found


@cache
def _parsed(kind: int) -> Any:
    return fastavro.parse_schema(types().events[EVENT_TYPES[kind]])
