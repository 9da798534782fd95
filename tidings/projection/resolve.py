"""How an event of another version becomes one of the current version, as a table that an executor runs on bytes.

The reference has fastavro do it, whose rules these are: a name is told without its namespace, of a union the first type
that can take the value does. What fastavro refuses, or takes where Avro does not, is `never`: an event that comes upon
it is left to the reference. Source: Avro 1.12 specification, "Schema Resolution".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidings.projection.defaults import default_value
from tidings.projection.types import NAMED, AvroType, TypeTable, kind_of
from tidings.projection.write_avro import writer_of

SAME, NEVER, FLOAT, DOUBLE = "same", "never", "to-float", "to-double"
_WIDER = {
    ("int", "long"): SAME,
    ("int", "float"): FLOAT,
    ("int", "double"): DOUBLE,
    ("long", "float"): FLOAT,
    ("long", "double"): DOUBLE,
    ("float", "double"): DOUBLE,
    ("string", "bytes"): SAME,
    ("bytes", "string"): SAME,
}
_NONE = -1


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of one value. `type` is its row among the writer's types; `of` are numbers of other moves.

    `same`: its bytes stay as they are. `never`: the event is left to the reference. `to-float`, `to-double`: a number
    of another type. `enum`: `codes` has the index of each symbol, -1 where nothing stands for it. `union`: `of` has a
    move for each branch of the writer's. `into`: the one move, behind the index that `codes` holds. `array`, `map`: the
    one move for each item. `record`: for each field of the current version `codes` has the writer's, or -1 where it has
    none; then `puts` has the default as Avro, in hexadecimal, else `of` the move.
    """

    how: str
    type: int
    of: tuple[int, ...] = ()
    codes: tuple[int, ...] = ()
    puts: tuple[str, ...] = ()


def resolution(writer: TypeTable, reader: TypeTable, row: Callable[[AvroType], int]) -> tuple[tuple[Move, ...], int]:
    """The moves from the root of `writer` to that of `reader`, and the number of the root's. `row` numbers a writer's
    type."""
    made = _Resolution(writer, reader, row)
    root = made.number(writer.root, reader.root)
    return made.moves, root


class _Resolution:
    def __init__(self, writer: TypeTable, reader: TypeTable, row: Callable[[AvroType], int]) -> None:
        self._writer, self._reader, self._row = writer, reader, row
        self._made: list[Move | None] = []
        self._known: dict[tuple[int, int], int] = {}

    @property
    def moves(self) -> tuple[Move, ...]:
        return tuple(move for move in self._made if move is not None)

    def number(self, writer: AvroType, reader: AvroType) -> int:
        """The number of the move from a value of the one type to one of the other."""
        writer, reader = self._writer.resolve(writer), self._reader.resolve(reader)
        known = (id(writer), id(reader))
        if isinstance(writer, str) or isinstance(reader, str) or known not in self._known:
            at = self._known[known] = len(self._made)
            self._made.append(None)
            self._made[at] = self._move(writer, reader)
            return at
        return self._known[known]

    def _move(self, writer: AvroType, reader: AvroType) -> Move:
        row = self._row(writer)
        if self._alike(writer, reader, set()):
            return Move(SAME, row)
        if kind_of(writer) == "union":
            return Move("union", row, tuple(self.number(branch, reader) for branch in writer))
        if kind_of(reader) == "union":
            at = self._branch(writer, reader)
            if at is None:
                return Move(NEVER, row)
            return Move("into", row, (self.number(writer, reader[at]),), (at,))
        if not self._match(writer, reader) or (kind_of(writer) in NAMED and kind_of(writer) != kind_of(reader)):
            return Move(NEVER, row)
        return self._within(row, writer, reader)

    def _within(self, row: int, writer: AvroType, reader: AvroType) -> Move:
        kind = kind_of(writer)
        if kind == "record":
            return self._record(row, writer, reader)
        if kind == "enum":
            default = reader.get("default")
            symbols = [name if name in reader["symbols"] else default for name in writer["symbols"]]
            known = [reader["symbols"].index(name) if name in reader["symbols"] else _NONE for name in symbols]
            return Move("enum", row, codes=tuple(known))
        if kind in ("array", "map"):
            below = "items" if kind == "array" else "values"
            return Move(kind, row, (self.number(writer[below], reader[below]),))
        return Move(_WIDER.get((kind, kind_of(reader)), SAME), row)

    def _record(self, row: int, writer: AvroType, reader: AvroType) -> Move:
        names = [item["name"] for item in reader["fields"]]
        called = {alias: item["name"] for item in reader["fields"] for alias in item.get("aliases", ())}
        taken: dict[str, int] = {}
        for at, item in enumerate(writer["fields"]):
            name = item["name"] if item["name"] in names else called.get(item["name"])
            if name in taken:
                return Move(NEVER, row)
            if name is not None:
                taken[name] = at
        of, puts = [], []
        for item in reader["fields"]:
            number = taken.get(item["name"], _NONE)
            if number == _NONE and "default" not in item:
                return Move(NEVER, row)
            of.append(_NONE if number == _NONE else self.number(writer["fields"][number]["type"], item["type"]))
            puts.append(self._default(item) if number == _NONE else "")
        return Move("record", row, tuple(of), tuple(taken.get(name, _NONE) for name in names), tuple(puts))

    def _default(self, item: AvroType) -> str:
        value = default_value(item["type"], item["default"], self._reader)
        return writer_of(self._reader.standalone(item["type"], logical=False))(value).hex()

    def _branch(self, writer: AvroType, reader: Sequence[AvroType]) -> int | None:
        return next((at for at, each in enumerate(reader) if self._match(writer, each)), None)

    def _match(self, writer: AvroType, reader: AvroType) -> bool:
        """Whether fastavro takes a value of the one for the other, as far as it looks before it reads."""
        writer, reader = self._writer.resolve(writer), self._reader.resolve(reader)
        kinds = kind_of(writer), kind_of(reader)
        if "union" in kinds:
            return True
        if kinds[0] in NAMED and kinds[1] in NAMED:
            if kinds == ("fixed", "fixed") and writer["size"] != reader["size"]:
                return False
            names = {writer["name"], _last(writer["name"])}
            return _last(reader["name"]) in names or bool(names & set(reader.get("aliases", ())))
        if kinds == ("array", "array"):
            return self._match(writer["items"], reader["items"])
        if kinds == ("map", "map"):
            return self._match(writer["values"], reader["values"])
        return kinds[0] == kinds[1] or kinds in _WIDER

    def _alike(self, writer: AvroType, reader: AvroType, seen: set[tuple[int, int]]) -> bool:
        """Whether every value of the one, byte by byte, is the other's value that it becomes."""
        writer, reader = self._writer.resolve(writer), self._reader.resolve(reader)
        kind = kind_of(writer)
        if kind != kind_of(reader):
            return _WIDER.get((kind, kind_of(reader))) == SAME
        if (id(writer), id(reader)) in seen:
            return True
        if kind == "union":
            first = [self._branch(branch, reader) for branch in writer]
            return first == list(range(len(writer))) and all(
                self._alike(*pair, seen) for pair in zip(writer, reader, strict=False)
            )
        if kind in NAMED:
            return self._match(writer, reader) and self._named_alike(writer, reader, seen)
        below = {"array": "items", "map": "values"}.get(kind)
        return below is None or self._alike(writer[below], reader[below], seen)

    def _named_alike(self, writer: AvroType, reader: AvroType, seen: set[tuple[int, int]]) -> bool:
        if kind_of(writer) == "enum":
            return bool(reader["symbols"][: len(writer["symbols"])] == writer["symbols"])
        if kind_of(writer) == "fixed":
            return True
        own, theirs = ([item["name"] for item in schema["fields"]] for schema in (writer, reader))
        seen.add((id(writer), id(reader)))
        return own == theirs and all(
            self._alike(mine["type"], other["type"], seen)
            for mine, other in zip(writer["fields"], reader["fields"], strict=True)
        )


def _last(name: str) -> str:
    return name.rpartition(".")[2]
