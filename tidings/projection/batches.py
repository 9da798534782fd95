"""What the exchange sees of an executor that takes a whole batch at once: the native extension, or generated Python.

Such an executor decides what is common exactly as the reference would, and hands back (defers) every other event:
refused, flagged, repeated, or in an uncommon form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from tidings.deduplication import Sighting
from tidings.log import InboxRecord, Partition, Run
from tidings.policy.in_force import in_force
from tidings.policy.model import View

NEVER, ALWAYS, CORRECTIONS = 0, 1, 2

Made = tuple[int, bytes, bytes]
"""What a view makes of an event: 0 delivered, 1 withdrawn or 2 filtered; the feed's key; the value after its
sequence."""
Decided = tuple[bytes, Sequence[Made | None]]
"""What the stages made of a deferred event: its entry's Avro up to the agreements, and what each view made of it."""
Part = tuple[int, int, bytes]
"""A part of a decision block: how many entries, the last one's offset, their Avro bytes."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """What a batch's entries and numbers are made with, that its events do not say.

    `nonces` are 16 bytes an event of the batch; `tag_key` is the one of `epoch`, for subject tags; `sequences` are the
    last of each view's feed before the batch; `room` is how many bytes of entries one part takes.
    """

    nonces: bytes = field(repr=False)
    epoch: str
    tag_key: bytes = field(repr=False)
    sequences: Sequence[int]
    room: int


class Written(Protocol):
    """What a batch came to."""

    def parts(self) -> Sequence[Part]:
        """The entries, in parts of at most the room that was given."""
        ...

    def sequences(self) -> Sequence[int]:
        """The last sequence of each view's feed."""
        ...

    def outcomes(self) -> Sequence[int]:
        """How many events that were not deferred are delivered, withdrawn, filtered, held."""
        ...

    def by_view(self) -> Sequence[Sequence[int]]:
        """Of all events, view by view: delivered, withdrawn, filtered, held."""
        ...

    def runs(self, partition: int) -> Sequence[Run]:
        """The messages, one run a feed that gets any; they can be taken once."""
        ...


class Weighed(Protocol):
    """A batch after every view has weighed it."""

    @property
    def deferred(self) -> list[tuple[int, Sighting]]:
        """The events left to the stages: their number in the batch, and what the window says of them."""
        ...

    def write(self, decided: Sequence[Decided], numbering: Numbering) -> Written:
        """Number the views and write the entries. `decided` are the deferred events, in order.

        Raises Fatal where one entry is larger than `numbering.room`.
        """
        ...


class BatchExecutor(Protocol):
    """One inbox under one policy, compiled. For one thread at a time."""

    def weigh(
        self, partition: Partition, records: Sequence[InboxRecord], window: Any, modes: bytes, now_ms: int
    ) -> Weighed:
        """Weigh `records` of `partition` by every view; the window stages them. `modes` has a `mode_of` a view."""
        ...


def mode_of(view: View, today: date) -> int:
    """Whether `view` is weighed on the UTC day `today`: `tidings.policy.in_force` for every change at once."""
    if in_force(view, today, "CREATED"):
        return ALWAYS
    return CORRECTIONS if in_force(view, today, "CORRECTED") else NEVER
