"""The views of one held partition that wait, in the order in which the exchange wrote them. Pure; knows no clock.

A view that gives a record (created, reinstated) while one that took it (annulled, withdrawn) waits takes the place of
that one, and becomes a correction. A view that takes a record takes the place of all that waits of it. So every view
leaves in its own turn, or not at all: order is kept by itself, of every subject.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tidings.projection.held_view import HeldHead

_GIVING = frozenset({"CREATED", "REINSTATED"})
_ANNULLED = "ANNULLED"
_WITHDRAWN = "WITHDRAWN"

Record = tuple[bytes | None, str]
"""Which record a view is about, within its feed's partition: the feed's key and `record_id`."""


@dataclass(frozen=True, slots=True)
class HeldView:
    """One view as it stands in the held topic. `held_at_ms` is when the broker took it from the exchange."""

    offset: int
    held_at_ms: int
    key: bytes | None = field(repr=False)
    value: bytes = field(repr=False)
    head: HeldHead

    @property
    def record(self) -> Record | None:
        """The record that it is about; None where it names none: nothing then takes its place."""
        return None if self.head.record_id is None else (self.key, self.head.record_id)

    @property
    def gives(self) -> bool:
        """Whether it is how a record begins, or begins again."""
        return self.head.kind != _WITHDRAWN and self.head.change in _GIVING

    @property
    def takes(self) -> bool:
        """Whether its subscriber has the record no more after it."""
        return self.head.kind == _WITHDRAWN or self.head.change == _ANNULLED


@dataclass(frozen=True, slots=True)
class Due:
    """A view whose turn it is, the views whose place it has taken, and whether it is now a correction."""

    view: HeldView
    replaced: tuple[HeldView, ...] = ()
    corrected: bool = False

    def views(self) -> tuple[HeldView, ...]:
        """Every view that is settled with it, oldest first."""
        return (*self.replaced, self.view)


class Waiting:
    """What waits in one held partition. `settled_to`: every view below was settled, or was replaced by one that waits.

    `held_sequence` is the last sequence that was read of the held topic.
    """

    def __init__(self, settled_to: int = 0, held_sequence: int = 0) -> None:
        self.settled_to = settled_to
        self.held_sequence = held_sequence
        # Not a dict: what was deleted at its front it walks over, again and again.
        self._line: OrderedDict[int, Due] = OrderedDict()
        self._replaced: set[int] = set()
        self._of_record: dict[Record, list[int]] = {}

    def __len__(self) -> int:
        return len(self._line)

    def read(self, view: HeldView) -> None:
        """Put a view at the end of the line."""
        replaced: list[HeldView] = []
        corrected = False
        for offset in list(self._of_record.get(view.record, ())) if view.record else ():
            before = self._line[offset]
            if (view.gives and before.view.takes) or (view.takes and not before.view.takes):
                corrected = corrected or view.gives
                replaced += before.views()
                self._forget(before.view)
        replaced.sort(key=lambda each: each.offset)
        self._replaced.update(each.offset for each in replaced)
        self._line[view.offset] = Due(view, tuple(replaced), corrected)
        if view.record:
            self._of_record.setdefault(view.record, []).append(view.offset)
        self.held_sequence = view.head.sequence

    def first(self) -> HeldView | None:
        """The view whose turn is next."""
        return next((due.view for due in self._line.values()), None)

    def line(self) -> Iterator[Due]:
        """Everything that waits, in order."""
        return iter(self._line.values())

    def settle(self, offset: int) -> None:
        """The first in line is settled: forget it. Raises KeyError where another one is first."""
        first = next(iter(self._line))
        if first != offset:
            raise KeyError(offset)
        due = self._line[first]
        self._replaced.difference_update(each.offset for each in due.replaced)
        self._forget(due.view)
        self.settled_to = offset + 1

    def replaced(self) -> frozenset[int]:
        """The offsets of views whose place one in line has taken."""
        return frozenset(self._replaced)

    def _forget(self, view: HeldView) -> None:
        del self._line[view.offset]
        if view.record:
            mine = self._of_record[view.record]
            mine.remove(view.offset)
            if not mine:
                del self._of_record[view.record]
