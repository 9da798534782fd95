"""What waits until it is received: rows by day, in the native extension where it is built, and no objects there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

from producers.simulation.native import extension
from producers.simulation.rates import DAY_MS
from producers.simulation.rows import Row, received_ms


class Rows(Protocol):
    """Rows that are as usual, in the order in which they were put; each becomes an object when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int) -> Row: ...

    def kinds(self) -> bytes:
        """The number of each row's kind."""
        ...


class Due(Protocol):
    """Rows that wait."""

    def put(self, at: int, kind: int, key: bytes, event: bytes) -> None:
        """One more row, which has no note: the first four of its parts."""
        ...

    def take(self, first_day: int, days: int) -> Rows:
        """The rows that are received on so many days since 1970; they wait no longer."""
        ...


class Received(NamedTuple):
    """What a county's registers hand over in a week, not yet in the order of time."""

    sound: Rows
    bad: list[Row]

    def rows(self) -> list[Row]:
        """All of it."""
        return [*(self.sound[at] for at in range(len(self.sound))), *self.bad]


def due() -> Due:
    """Whichever is there: where one is the extension's, so must be the teller and what frames the rows."""
    native = extension()
    return PythonDue() if native is None else cast("Due", native.Due())


class PythonRows(list[Row]):
    """Rows in Python."""

    def kinds(self) -> bytes:
        """As `Rows.kinds`."""
        return bytes([row[1] for row in self])


class PythonDue:
    """The same in Python."""

    def __init__(self) -> None:
        self._days: defaultdict[int, list[Row]] = defaultdict(list)

    def put(self, at: int, kind: int, key: bytes, event: bytes) -> None:
        """As `Due.put`."""
        row = (at, kind, key, event, None)
        self._days[received_ms(row) // DAY_MS].append(row)

    def take(self, first_day: int, days: int) -> PythonRows:
        """As `Due.take`."""
        found = PythonRows()
        for day in sorted(day for day in self._days if first_day <= day < first_day + days):
            found += self._days.pop(day)
        return found


def in_order(received: Sequence[Received]) -> list[Row]:
    """The rows of a week in the order of time."""
    return sorted([row for county in received for row in county.rows()], key=lambda row: row[0])
