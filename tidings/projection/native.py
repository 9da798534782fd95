"""The native executor: the extension `tidings_native` (`native/`), where it is built, as the exchange needs it.

It weighs a whole batch at once, without the interpreter, and hands back (defers) every event that it does not decide
exactly as the reference: refused, flagged, or with a text that needs Unicode's tables.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from tidings.deduplication import Sighting
from tidings.errors import Fatal
from tidings.keys import KeyRing
from tidings.log import InboxRecord, Message, Partition
from tidings.projection.batches import Decided, Made, Numbering, Part
from tidings.projection.program import InboxProgram
from tidings.wire import header

_PURPOSES = {
    "pseudonym": 32,
    "record-id": 32,
    "event-id": 16,
    "life-event-id": 16,
    "uuid": 16,
    "encrypt": 64,
}
_SIGHTINGS = (Sighting.NEW, Sighting.DUPLICATE, Sighting.REUSED)
EVENTS_A_THREAD = 256
"""Weighing so many takes some 2 ms; to start a thread, some 30 us."""


class NativeWindow:
    """`tidings.deduplication.Window`, held by the extension."""

    def __init__(self, size: int) -> None:
        self.held = _extension().Window(size)

    @property
    def size(self) -> int:
        """W in offsets."""
        return int(self.held.size)

    @size.setter
    def size(self, size: int) -> None:
        self.held.size = size

    def __len__(self) -> int:
        return len(self.held)

    def see(self, record: InboxRecord) -> Sighting:
        """See `Window.see`."""
        return _SIGHTINGS[self.held.see(record)]

    def commit(self) -> None:
        """See `Window.commit`."""
        self.held.commit()

    def abort(self) -> None:
        """See `Window.abort`."""
        self.held.abort()

    def see_all(self, records: Iterable[InboxRecord]) -> list[Sighting]:
        """See `Window.see_all`."""
        return [self.see(record) for record in records]

    def load(self, records: Iterable[InboxRecord], end: int) -> None:
        """See `Window.load`."""
        self.held.load(records, end)


class NativeRun:
    """Messages of one feed's partition, still in the extension: `tidings.log.Run`."""

    def __init__(self, held: Any) -> None:
        self._held = held

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Message]:
        return (Message(*self._held.at(number)) for number in range(len(self)))

    def send(self, produce: Callable[..., object]) -> None:
        """See `Run.send`."""
        self._held.send(produce)


class NativeInbox:
    """One inbox under one policy, compiled. For one thread at a time."""

    def __init__(self, program: InboxProgram, keys: KeyRing, events_a_thread: int = EVENTS_A_THREAD) -> None:
        """Batches are spread over the processors, `events_a_thread` or more to each."""
        keyed = derived_keys(program, keys)
        self._engine = _extension().Engine(program.as_json(), keyed, keys.version, events_a_thread)

    def unproven(self) -> list[int]:
        """The numbers of those checks that are never proven here: events of the inbox then all go to Python."""
        return list(self._engine.unproven())

    def refusal(self, body: bytes) -> tuple[tuple[str, str], ...] | None:
        """Why `body` is no event of the current version, as (reason code, path); None where it is one."""
        found = self._engine.refusal(body)
        return None if found is None else tuple(found)

    def resolve(self, schema_id: int, body: bytes) -> bytes | None:
        """`body`, an event under another version's schema id, as one of the current; None where that is Python's."""
        made = self._engine.resolve(schema_id, body) if self.resolves else None
        return None if made is None else bytes(made)

    @property
    def resolves(self) -> bool:
        """Whether the extension reads other versions: one that was built before it could leaves them to Python."""
        return hasattr(self._engine, "resolve")

    def project(self, body: bytes, view: int) -> Made | None:
        """What the view of this number makes of one event, its flags apart; None where it is left to Python."""
        made = self._engine.project(body, view)
        return None if made is None else (made[0], made[1], made[2])

    def proves(self, body: bytes, now_ms: int) -> bool:
        """Whether `body` is an event that surely passes every check."""
        return bool(self._engine.proves(body, now_ms))

    def weigh(
        self, partition: Partition, records: Sequence[InboxRecord], window: NativeWindow, modes: bytes, now_ms: int
    ) -> NativeWeighed:
        """Weigh `records` of `partition` by every view; the window stages them. `modes` has a `mode_of` a view."""
        batch = self._engine.weigh(partition.partition, records, window.held, modes, now_ms)
        return NativeWeighed(self._engine, batch)


class NativeWriter:
    """Writes a publisher's events of one type, which are JSON, as records of its inbox: those that surely pass every
    check. It refuses none: the others are Python's."""

    def __init__(self, program: InboxProgram, schema_id: int) -> None:
        self._writer = _extension().Writer(program.as_json(), header(schema_id))

    def write(self, events: Sequence[bytes | None], now_ms: int, max_bytes: int) -> list[tuple[bytes, bytes] | None]:
        """Key and value of each event of `events`, as `producers.encode` writes them; None where it is left to Python,
        as is None itself and what has more than `max_bytes` of key and value."""
        written: list[tuple[bytes, bytes] | None] = self._writer.write(events, now_ms, max_bytes)
        return written


class NativeWeighed:
    """See `batches.Weighed`."""

    def __init__(self, engine: Any, batch: Any) -> None:
        self._engine, self._batch = engine, batch
        self.deferred: list[tuple[int, Sighting]] = [(at, _SIGHTINGS[number]) for at, number in batch.deferred]

    def write(self, decided: Sequence[Decided], numbering: Numbering) -> NativeWritten:
        """See `Weighed.write`."""
        nonces, epoch, tag_key = numbering.nonces, numbering.epoch, numbering.tag_key
        sequences, room = list(numbering.sequences), numbering.room
        try:
            made = self._engine.route(self._batch, list(decided), nonces, epoch, tag_key, sequences, room)
        except RuntimeError:
            raise Fatal("a decision is larger than a block may be") from None
        return NativeWritten(made)


class NativeWritten:
    """See `batches.Written`."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def parts(self) -> list[Part]:
        """See `Written.parts`."""
        return list(self._made.parts())

    def sequences(self) -> list[int]:
        """See `Written.sequences`."""
        return list(self._made.sequences())

    def outcomes(self) -> Sequence[int]:
        """See `Written.outcomes`; without those that are held, of an extension of before there were any."""
        return list(self._made.outcomes())

    def by_view(self) -> list[Sequence[int]]:
        """See `Written.by_view`; without those that are held, as `outcomes`."""
        return list(self._made.by_view())

    def runs(self, partition: int) -> list[NativeRun]:
        """See `Written.runs`."""
        return list(map(NativeRun, self._made.runs(partition)))


def derived_keys(program: InboxProgram, keys: KeyRing) -> dict[str, dict[str, bytes]]:
    """The keys of every group of the program's views, by purpose."""
    return {
        group: {purpose: keys.derive("group", group, purpose, length=size) for purpose, size in _PURPOSES.items()}
        for group in {view.group for view in program.views}
    }


def native_inbox(program: InboxProgram, keys: KeyRing) -> NativeInbox | str:
    """The inbox compiled, or why the extension does not take it (a mask of another's making, an unsettled head)."""
    if any(view.written_to != view.feed for view in program.views) and not getattr(_extension(), "HOLDS", False):
        return "the extension was built before views could be held: `make native`"
    try:
        return NativeInbox(program, keys)
    except ValueError as why:
        return str(why)


def native_writer(program: InboxProgram, schema_id: int) -> NativeWriter | None:
    """The writer for the inbox of `program`, which names no view; None where the extension is not built, or does not
    take the event type."""
    if native_version() is None or not hasattr(_extension(), "Writer"):  # built before there was one
        return None
    try:
        return NativeWriter(program, schema_id)
    except ValueError:
        return None


def native_version() -> str | None:
    """The version of the extension, or None where it is not built."""
    try:
        return str(_extension().__version__)
    except Fatal:
        return None


@lru_cache(maxsize=1)
def _extension() -> Any:
    try:
        return importlib.import_module("tidings_native")
    except ImportError:
        raise Fatal("the native extension is not built: `make native`") from None
