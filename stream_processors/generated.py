"""A whole batch by generated Python: `tidings.projection.batches.BatchExecutor`.

What is common goes from bytes to bytes, column by column, with no object for an event, a finding or an entry; a share
of the batch at a time, so that what one step made is still near when the next one takes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stream_processors.numbered import Columns, Numbered, write
from tidings.deduplication import Sighting
from tidings.errors import Fatal, Retriable
from tidings.log import InboxRecord, Partition
from tidings.partitions import partition_of
from tidings.policy.in_force import CORRECTIONS as CORRECTING
from tidings.policy.model import Inbox, View
from tidings.projection.batches import CORRECTIONS, NEVER, Decided, Made, Numbering
from tidings.projection.contract import FILTERED, Projected
from tidings.projection.generate_projector import UNSOUND, GeneratedProjector
from tidings.projection.generate_runtime import AT_ONCE, text_at
from tidings.wire import header, sized

_HEADER_BYTES = 5
_ID_BYTES = 37
_NAMES = ("delivered", "withdrawn", "filtered")

_Clean = tuple[int, bytes, tuple[Any, ...], bytes]
"""An event that goes on: its number in the batch, its body, its places, and what its subject's tag is of."""


class GeneratedInbox:
    """One inbox under one policy; `projector` was made for it, in this order of `views`, and for `environment`."""

    def __init__(self, projector: GeneratedProjector, inbox: Inbox, views: Sequence[View], environment: str) -> None:
        made, head = projector.made, projector.made.head
        self._views, self._partitions, self._head = views, inbox.partitions, head
        self._scan, self._proves, self._shared = made.scan, made.proves, made.shared
        self._columns = [made.views[view.feed] for view in views]
        self._same = frozenset(map(header, made.same))
        self._movers = {header(schema_id): mover for schema_id, mover in projector.movers.items()}
        self._agency = sized(inbox.agency.encode())
        known = environment in head.environments
        self._environment = 2 * head.environments.index(environment) if known else -1
        self._changes = [b"\2" + sized(name.encode()) for name in head.changes]
        self._correcting = frozenset(2 * at for at, name in enumerate(head.changes) if name in CORRECTING)

    def weigh(
        self, partition: Partition, records: Sequence[InboxRecord], window: Any, modes: bytes, now_ms: int
    ) -> GeneratedWeighed:
        """See `BatchExecutor.weigh`."""
        sightings: list[Sighting] = window.see_all(records)
        columns = Columns.of(len(records), len(self._views))
        for first in range(0, len(records), AT_ONCE):
            new = [
                (at, record.key, record.value)
                for at, record in enumerate(records[first : first + AT_ONCE], first)
                if sightings[at] is Sighting.NEW
            ]
            try:
                self._weigh(new, partition.partition, modes, now_ms, columns)
            except (Fatal, Retriable, MemoryError):
                raise
            except Exception:  # noqa: BLE001 -- a failure of our own code: the stages find the event that it is about
                columns.leave_out(at for at, _, _ in new)
        deferred = [(at, said) for at, said in enumerate(sightings) if columns.fronts[at] is None]
        return GeneratedWeighed(self._views, [record.offset for record in records], columns, deferred)

    def _weigh(
        self,
        records: Sequence[tuple[int, bytes | None, bytes | None]],
        partition: int,
        modes: bytes,
        now_ms: int,
        columns: Columns,
    ) -> None:
        """One share of the batch: what is clean of it, view by view."""
        clean = []
        for at, key, value in records:
            if key is not None and value is not None:
                found = self._clean(key, value, partition, now_ms)
                if found is not None:
                    clean.append((at, *found))
        events = [(body, places, [None] * self._shared) for _, body, places, _ in clean]
        change = self._head.change
        left: set[int] = set()
        for number, (mode, make) in enumerate(zip(modes, self._columns, strict=True)):
            if mode == NEVER:
                continue
            numbers, some = [each[0] for each in clean], events
            if mode == CORRECTIONS:
                weighed = [
                    at for at, (body, places, _) in enumerate(events) if body[places[change]] in self._correcting
                ]
                numbers, some = [numbers[at] for at in weighed], [events[at] for at in weighed]
            made = [None] * len(some) if make is None else make(some, ())
            columns.put(number, numbers, made)
            if None in made:
                left.update(at for at, each in zip(numbers, made, strict=True) if each is None)
        self._head_of(clean, columns)
        columns.leave_out(left)

    def _clean(
        self, key: bytes, value: bytes, partition: int, now_ms: int
    ) -> tuple[bytes, tuple[Any, ...], bytes] | None:
        """Body, places and what the subject's tag is of, where the event is as it should be and surely has no finding:
        `framing` and `validate`, on bytes."""
        frame, head = value[:_HEADER_BYTES], self._head
        body: bytes | None = value[_HEADER_BYTES:]
        if frame not in self._same:
            mover = self._movers.get(frame)
            body = None if mover is None else mover(value[_HEADER_BYTES:])
        if body is None or (self._partitions > 1 and partition_of(key, self._partitions) != partition):
            return None
        try:
            places, odd, again = self._scan(body)
        except UNSOUND:
            return None
        # The window has read the id in front of the record as it was published.
        if (
            odd
            or again
            or places[head.event_id]
            or value[_HEADER_BYTES : _HEADER_BYTES + _ID_BYTES] != body[:_ID_BYTES]
        ):
            return None
        agency = places[head.source_agency]
        if body[agency : agency + len(self._agency)] != self._agency:
            return None
        scheme = text_at(body, places[head.subject_scheme])
        name = text_at(body, places[head.subject_value])
        if key != scheme + b":" + name or body[places[head.environment]] != self._environment:
            return None
        if not self._proves(body, places, now_ms):
            return None
        return body, places, len(scheme).to_bytes(4, "big") + scheme + name

    def _head_of(self, clean: Sequence[_Clean], columns: Columns) -> None:
        """What the entries say of the events: numbers stand in them as in the event, null first."""
        head, changes = self._head, self._changes
        change, received, after_received = head.change, head.received_at, head.received_at_end
        version, after_version = head.record_version, head.record_version_end
        for at, body, o, subject in clean:
            columns.subjects[at] = subject
            columns.fronts[at] = b"\2" + body[:_ID_BYTES]
            columns.rests[at] = b"".join(
                (
                    changes[body[o[change]] >> 1],
                    body[o[version] : o[after_version]],
                    b"\2",
                    body[o[received] : o[after_received]],
                )
            )


@dataclass(frozen=True, slots=True)
class GeneratedWeighed:
    """See `batches.Weighed`."""

    views: Sequence[View]
    offsets: list[int]
    columns: Columns = field(repr=False)
    deferred: list[tuple[int, Sighting]]

    def write(self, decided: Sequence[Decided], numbering: Numbering) -> Numbered:
        """See `Weighed.write`."""
        for (at, _), (entry, views) in zip(self.deferred, decided, strict=True):
            self.columns.fronts[at] = entry
            for column, made in zip(self.columns.views, views, strict=True):
                column[at] = None if made is None else _projected(made)
        return write(self.columns, self.views, self.offsets, numbering)


def _projected(made: Made) -> Projected:
    outcome, key, tail = made
    return FILTERED if outcome == _NAMES.index("filtered") else Projected(_NAMES[outcome], key, tail)  # type: ignore[arg-type]
