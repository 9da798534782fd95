"""What must come out: the reference projection's views of every event of the pool, against which each record that a
contender wrote is held, byte by byte; where the bytes differ, decoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.site import Views
from producers.encode import WireEvent
from tidings import wire
from tidings.log import InboxRecord
from tidings.policy.model import View
from tidings.projection import reference_projector
from tidings.projection.decode_view import decode_view


class Differs(Exception):
    """A contender's output is not the exchange's. Says where, never what stands there."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One feed's records: of event n (from 0) the key, and the value after its sequence, n + 1."""

    view: View
    keys: Sequence[bytes] = field(repr=False)
    tails: Sequence[bytes] = field(repr=False)

    @property
    def key_size(self) -> int:
        """The mean in bytes."""
        return round(sum(map(len, self.keys)) / len(self.keys))

    @property
    def value_size(self) -> int:
        """The mean in bytes, frame and a sequence of three bytes included."""
        return round(sum(map(len, self.tails)) / len(self.tails)) + wire.HEADER_BYTES + 3

    def check(self, records: Iterable[InboxRecord]) -> int:
        """Hold the first records of a feed's partition against what is expected. Returns how many there were. Raises
        Differs."""
        header, size = wire.header(self.view.schema_id), len(self.keys)
        number = 0
        for record in records:
            at = number % size
            number += 1
            wanted = header + wire.zigzag(number) + self.tails[at]
            if record.key != self.keys[at] or (record.value != wanted and not self._same(record.value, wanted)):
                raise Differs(f"{self.view.feed}: record {number} is not the exchange's")
        return number

    def _same(self, value: bytes | None, wanted: bytes) -> bool:
        schema = self.view.view_schema
        return decode_view(schema, value or b"") == decode_view(schema, wanted)


def expected_views(made: Views, pool: Sequence[WireEvent]) -> list[Expected]:
    """One a view, in their order. Raises Differs where an event of the pool has not its view."""
    inbox, views = made.inbox, made.views
    projector = reference_projector(inbox, views, made.keys, made.policy.version)
    keys: list[list[bytes]] = [[] for _ in views]
    tails: list[list[bytes]] = [[] for _ in views]
    for event in pool:
        value = event.value or b""
        scan = projector.scan(wire.schema_id_of(value), value[wire.HEADER_BYTES :])
        for number, view in enumerate(views):
            projected = projector.decide(scan, view, ())
            if projected.outcome != "delivered":
                raise Differs(f"{view.feed}: an event of the pool is {projected.outcome}")
            keys[number].append(projected.key)
            tails[number].append(projected.tail)
    return [Expected(*each) for each in zip(views, keys, tails, strict=True)]
