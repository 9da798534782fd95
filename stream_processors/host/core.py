"""A processor at work, with no broker in sight: events to parts, parts to changed rows and records to send on.

The host on Faust and `TestProcessor` both drive this, so that what holds in the one holds in the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from stream_processors.host.declaration import TIME_TABLE, Event, Json, Part, Processor
from stream_processors.host.rows import Draft, Emission, KeyState, Row, Store, names_of
from tidings.clock import Clock
from tidings.policy.model import Policy
from tidings.topics import POLICY

_MINUTE_MS = 60_000
_TIME_KEY = b"time"


@dataclass(frozen=True, slots=True)
class Done:
    """What one part led to. `late` counts the changes that came after their window."""

    emissions: tuple[Emission, ...]
    late: int


def parts_of(processor: Processor, event: Event) -> list[Part]:
    """The parts of an event, in order. Raises what `split` raises."""
    cause = event.value.get("event_id")
    where = (event.topic, event.partition, event.offset)
    named = cause if isinstance(cause, str) else "/".join(map(str, where))
    return [
        Part(key, value, *where, number, event.at_ms, named)
        for number, (key, value) in enumerate(processor.split(event))
    ]


def enrolled(processor: Processor, policy: Policy) -> list[Part]:
    """The parts that a policy itself makes, as if they stood in its topic at its version. Raises what `enrol` does."""
    made = () if processor.enrol is None else processor.enrol(policy)
    where = (POLICY, 0, policy.version)
    cause = f"{POLICY}/{policy.version}"
    return [Part(key, value, *where, number, policy.created_at_ms, cause) for number, (key, value) in enumerate(made)]


def encode_part(part: Part) -> bytes:
    """A part as it stands in the work topic, its key aside. Raises TypeError on what JSON cannot hold."""
    where = [part.topic, part.partition, part.offset, part.number]
    return orjson.dumps({"o": where, "t": part.at_ms, "c": part.cause, "v": part.value})


def encode_tick(now_ms: int) -> bytes:
    """The record that says how late it is where nothing comes."""
    return orjson.dumps({"t": now_ms})


def decode_part(key: bytes | None, value: bytes) -> Part | int:
    """A record of the work topic: a part, or a tick's time."""
    read = orjson.loads(value)
    if "o" not in read:
        return int(read["t"])
    topic, partition, offset, number = read["o"]
    return Part((key or b"").decode(), read["v"], topic, partition, offset, number, read["t"], read["c"])


class Core:
    """One processor. `topics` are those that it may write to; `clock` says which windows are still sent on."""

    def __init__(self, processor: Processor, topics: frozenset[str], clock: Clock, policy: Policy) -> None:
        self.processor = processor
        self._policy = policy
        self._topics = topics
        self._clock = clock
        self._tables = {table.name: table for table in processor.tables}

    def apply(self, part: Part, store: Store, offset: int) -> Done:
        """Take one part in at a place; `offset` is where it stands in the work topic. Raises what `step` and `sweep`
        raise, with no row changed."""
        draft = Draft(store)
        swept = self._advance(part.at_ms, draft, offset)
        state = self._state(draft, part.key, part, self._time(draft)[0])
        self.processor.step(part, state)
        draft.keep()
        return Done((*swept, *state.emissions), state.late)

    def advance(self, at_ms: int, store: Store, offset: int) -> Done:
        """Move stream time on, to the minute; on the way, take away what is over and show the processor its rows.
        Raises what `sweep` raises, with no row changed."""
        draft = Draft(store)
        emissions = self._advance(at_ms, draft, offset)
        draft.keep()
        return Done(tuple(emissions), 0)

    def _advance(self, at_ms: int, store: Store, offset: int) -> list[Emission]:
        now_ms, swept_ms, swept_by = self._time(store)
        to_ms = max(at_ms - at_ms % _MINUTE_MS, now_ms)
        # What the sweep sent on may not have come to the broker before a crash: with its record it comes again.
        again = offset == swept_by
        if to_ms == now_ms and not again:
            return []
        emissions: list[Emission] = []
        if again or to_ms >= swept_ms + self.processor.sweep_every_ms:
            emissions, swept_ms, swept_by = list(self._sweep(store, to_ms)), to_ms, offset
        store.put(TIME_TABLE, _TIME_KEY, orjson.dumps([to_ms, swept_ms, swept_by]))
        return emissions

    def _time(self, store: Store) -> tuple[int, int, int]:
        """Stream time, when rows were last swept, and where the record stands at which they were; 0, 0, -1 before the
        first part."""
        stored = store.get(TIME_TABLE, _TIME_KEY)
        now_ms, swept_ms, *swept_by = (0, 0) if stored is None else orjson.loads(stored)
        return now_ms, swept_ms, swept_by[0] if swept_by else -1

    def _sweep(self, store: Store, now_ms: int) -> Iterator[Emission]:
        for table in self._tables.values():
            if table.keep_ms is None and not table.swept:
                continue
            for stored_key, stored in store.items(table.name):  # the draft puts nothing while it is read
                row = Row.decode(stored)
                if row.until_ms is not None and row.until_ms <= now_ms:
                    store.put(table.name, stored_key, None)
                elif table.swept and self.processor.sweep is not None and row.value is not None:
                    yield from self._shown(store, stored_key, row.value, now_ms)

    def _shown(self, store: Store, stored_key: bytes, value: Json, now_ms: int) -> list[Emission]:
        assert self.processor.sweep is not None  # noqa: S101 - the caller has looked; this tells mypy
        key, row = names_of(stored_key)
        state = self._state(store, key, None, now_ms)
        self.processor.sweep(key, row, value, state)
        return state.emissions

    def _state(self, store: Store, key: str, part: Part | None, now_ms: int) -> KeyState:
        return KeyState(store, self._tables, self._topics, key, part, now_ms, self._clock.now_ms(), self._policy)
