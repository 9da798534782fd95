"""Which places of an event are to be noted by its scan, and under which number each is kept.

A place is where a field's value begins (its union's index, where it has one), or ends. Of fields inside arrays there is
no one place: there the scan notes where each value begins that is not null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tidings.projection.generate_code import Unsupported
from tidings.projection.program import TypeRow

Types = Sequence[TypeRow]


@dataclass
class Wanted:
    """What is noted about one field and those below it. `starts` and `ends` are numbers of places."""

    start: int | None = None
    end: int | None = None
    each: int | None = None
    below: dict[str, Wanted] = field(default_factory=dict)

    def scalars(self) -> list[int]:
        """The numbers of all places here and below that are one place: none of them exists where this is null."""
        own = [number for number in (self.start, self.end) if number is not None]
        return own + self.below_scalars()

    def below_scalars(self) -> list[int]:
        """The same without this field's own."""
        return [number for wanted in self.below.values() for number in wanted.scalars()]

    def lists(self) -> list[int]:
        """The numbers of all lists of places here and below."""
        own = [] if self.each is None else [self.each]
        return own + [number for wanted in self.below.values() for number in wanted.lists()]


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads: the row of one element, without null and arrays; whether arrays stand before or around it;
    `null` is the index byte of a null field (`-1` where it cannot be null), `offset` how many bytes of an index stand
    before a value; `deep` says that a record above it may be null, so that there may be no place at all."""

    element: int
    many: bool
    null: int
    offset: int
    deep: bool


class Notes:
    """Numbers for places, each given once."""

    def __init__(self, types: Types, root: int) -> None:
        self._types, self._root = types, root
        self.wanted = Wanted()
        self.lists: set[int] = set()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def start(self, path: str) -> int:
        """The number of the place where the field at `path` begins; no array stands before it."""
        wanted = self._at(path)
        if wanted.start is None:
            wanted.start = self._new()
        return wanted.start

    def end(self, path: str) -> int:
        """The number of the place where it ends: where the next field of the same record begins, if there is one."""
        above, _, name = path.rpartition(".")
        row = self._types[self._record(above)]
        at = row.names.index(name) + 1
        if at < len(row.names):
            return self.start(f"{above}.{row.names[at]}" if above else row.names[at])
        wanted = self._at(path)
        if wanted.end is None:
            wanted.end = self._new()
        return wanted.end

    def each(self, path: str) -> int:
        """The number of the list of places of the values at `path`, which crosses arrays or is one."""
        wanted = self._at(path)
        if wanted.each is None:
            wanted.each = self._new()
            self.lists.add(wanted.each)
        return wanted.each

    def values(self, path: str) -> Found:
        """Where `path` leads, to values that can be compared. Raises Unsupported for null and for a union of several
        types."""
        found = self.find(path)
        if self._types[found.element].kind in ("union", "null"):
            raise Unsupported("no value of one type")
        return found

    def find(self, path: str) -> Found:
        """Where `path` leads. Raises Unsupported where it leads nowhere that is noted."""
        row, many, deep, null, offset = self._root, False, False, -1, 0
        for name in path.split("."):
            record = self._types[row]
            if record.kind != "record" or name not in record.names:
                raise Unsupported("a path leads through no record")
            deep = deep or null >= 0
            row = record.of[record.names.index(name)]
            offset = int(self._types[row].kind == "union")
            row, null = without_null(self._types, row)
            while self._types[row].kind == "array":
                many = True
                row, _ = without_null(self._types, self._types[row].of[0])
        return Found(row, many, null, offset, deep)

    def _record(self, path: str) -> int:
        return self.find(path).element if path else self._root

    def _at(self, path: str) -> Wanted:
        self.find(path)
        wanted = self.wanted
        for name in path.split("."):
            wanted = wanted.below.setdefault(name, Wanted())
        return wanted

    def _new(self) -> int:
        self._count += 1
        return self._count - 1


def without_null(types: Types, row: int) -> tuple[int, int]:
    """The row of a value that is not null, and the index byte of null (-1 where there is none). A union of several
    types stays as it is."""
    kind = types[row]
    if kind.kind != "union":
        return row, -1
    rest = [branch for branch in kind.of if types[branch].kind != "null"]
    if len(rest) != 1:
        return row, -1
    nulls = [2 * at for at, branch in enumerate(kind.of) if types[branch].kind == "null"]
    return rest[0], nulls[0] if nulls else -1
