"""Events of another version as events of the current one, byte by byte: `resolve.Move` as generated Python runs it.

`native/src/resolve.rs` is the same for the native executor.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

from tidings.projection.program import ReaderProgram
from tidings.projection.resolve import FLOAT, Move
from tidings.projection.structure import Malformed, read_long, structure_of
from tidings.projection.types import read_types
from tidings.wire import zigzag

_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")
_Run = Callable[[bytes, int, bytearray], int]
"""Write what becomes of the value at a place; where it ends. Raises Malformed where the event is left over."""
_Skip = Callable[[bytes, int], int]


def mover_of(reader: ReaderProgram) -> Callable[[bytes], bytes | None] | None:
    """From the body of an event under `reader`'s schema id to its body in the current version, or None where it is left
    to the reference. None where all are, or none needs it."""
    if reader.same or not reader.moves:
        return None
    table = read_types(reader.schema)
    check = structure_of(table.standalone(table.root, logical=False))
    run = _Mover(reader).run(reader.first)

    def move(body: bytes) -> bytes | None:
        made = bytearray()
        try:
            check(body)
            run(body, 0, made)
        except (Malformed, OverflowError):
            return None
        return bytes(made)

    return move


class _Mover:
    """Closures of one reader's moves, each made once."""

    def __init__(self, reader: ReaderProgram) -> None:
        self._types, self._moves = reader.types, reader.moves
        self._runs: dict[int, list[_Run]] = {}
        self._skips: dict[int, list[_Skip]] = {}

    def run(self, number: int) -> _Run:
        """The move of this number."""
        if number not in self._runs:
            self._runs[number] = []
            self._runs[number].append(self._made(self._moves[number]))
        return _later(self._runs[number])

    def _made(self, move: Move) -> _Run:
        match move.how:
            case "same":
                return _same(self.skip(move.type))
            case "to-float" | "to-double":
                packed = _FLOAT if move.how == FLOAT else _DOUBLE
                return _number(self._types[move.type].kind, packed)
            case "enum":
                return _enum(move.codes)
            case "union":
                return _union([self.run(branch) for branch in move.of])
            case "into":
                return _into(zigzag(move.codes[0]), self.run(move.of[0]))
            case "array" | "map":
                return self._blocks(self.run(move.of[0]), keyed=move.how == "map")
            case "record":
                return self._record(move)
            case _:
                return _never

    def _blocks(self, item: _Run, *, keyed: bool) -> _Run:
        def run(body: bytes, at: int, out: bytearray) -> int:
            while True:
                count, at = read_long(body, at)
                if count == 0:
                    out.append(0)
                    return at
                if count < 0:
                    at, count = read_long(body, at)[1], -count
                out += zigzag(count)
                for _ in range(count):
                    if keyed:
                        begin, at = at, _after_bytes(body, at)
                        out += body[begin:at]
                    at = item(body, at, out)

        return run

    def _record(self, move: Move) -> _Run:
        skips = [self.skip(row) for row in self._types[move.type].of]
        sources = [
            (number, self.run(inner) if number >= 0 else _never, bytes.fromhex(default))
            for number, inner, default in zip(move.codes, move.of, move.puts, strict=True)
        ]

        def run(body: bytes, at: int, out: bytearray) -> int:
            starts = []
            for skip in skips:
                starts.append(at)
                at = skip(body, at)
            for number, inner, default in sources:
                if number < 0:
                    out += default
                else:
                    inner(body, starts[number], out)
            return at

        return run

    def skip(self, row: int) -> _Skip:
        """From where a sound value of the writer's type begins to where it ends."""
        if row not in self._skips:
            self._skips[row] = []
            self._skips[row].append(self._skip_made(row))
        return _later(self._skips[row])

    def _skip_made(self, row: int) -> _Skip:
        kind = self._types[row]
        inner = [self.skip(of) for of in kind.of]
        if kind.kind in _SIZES or kind.kind == "fixed":
            size = _SIZES.get(kind.kind, kind.size)
            return lambda _body, at: at + size
        if kind.kind == "record":
            return lambda body, at: _after_all(inner, body, at)
        if kind.kind == "union":
            return lambda body, at: _after_branch(inner, body, at)
        if kind.kind in ("array", "map"):
            return lambda body, at: _after_blocks(inner[0], body, at, keyed=kind.kind == "map")
        return _after_bytes if kind.kind in ("string", "bytes") else lambda body, at: read_long(body, at)[1]


def _later(built: list[Callable[..., int]]) -> Callable[..., int]:
    """What is built already, else (within its own definition) what will be."""

    def later(*arguments: Any) -> int:
        return built[0](*arguments)

    return built[0] if built else later


_SIZES = {"null": 0, "boolean": 1, "float": 4, "double": 8}


def _after_bytes(body: bytes, at: int) -> int:
    length, at = read_long(body, at)
    return at + length


def _after_all(fields: list[_Skip], body: bytes, at: int) -> int:
    for field in fields:
        at = field(body, at)
    return at


def _after_branch(branches: list[_Skip], body: bytes, at: int) -> int:
    index, at = read_long(body, at)
    return branches[index](body, at)


def _after_blocks(item: _Skip, body: bytes, at: int, *, keyed: bool) -> int:
    while True:
        count, at = read_long(body, at)
        if count == 0:
            return at
        if count < 0:
            size, at = read_long(body, at)
            at += size
            continue
        for _ in range(count):
            at = item(body, _after_bytes(body, at) if keyed else at)


def _same(skip: _Skip) -> _Run:
    def run(body: bytes, at: int, out: bytearray) -> int:
        end = skip(body, at)
        out += body[at:end]
        return end

    return run


def _never(body: bytes, at: int, out: bytearray) -> int:  # noqa: ARG001 - one signature for all moves
    raise Malformed("left to the reference")


def _number(kind: str, packed: struct.Struct) -> _Run:
    def run(body: bytes, at: int, out: bytearray) -> int:
        if kind == "float":
            (number,) = _FLOAT.unpack_from(body, at)
            if math.isnan(number):
                raise Malformed("what becomes of its bits is the processor's affair")
            out += packed.pack(number)
            return at + 4
        whole, at = read_long(body, at)
        out += packed.pack(float(whole))
        return at

    return run


def _enum(codes: tuple[int, ...]) -> _Run:
    known = [None if code < 0 else zigzag(code) for code in codes]

    def run(body: bytes, at: int, out: bytearray) -> int:
        index, at = read_long(body, at)
        code = known[index]
        if code is None:
            raise Malformed("left to the reference")
        out += code
        return at

    return run


def _union(branches: list[_Run]) -> _Run:
    def run(body: bytes, at: int, out: bytearray) -> int:
        index, at = read_long(body, at)
        return branches[index](body, at, out)

    return run


def _into(index: bytes, inner: _Run) -> _Run:
    def run(body: bytes, at: int, out: bytearray) -> int:
        out += index
        return inner(body, at, out)

    return run
