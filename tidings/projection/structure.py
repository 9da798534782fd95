"""Whether bytes are one whole Avro record of a schema: checked byte by byte before anything is decoded.

fastavro takes negative indices, endless blocks of items without bytes and numbers of any length; this does not.
Compiled once a schema to closures; a check is bounded by the bytes, `MAX_EMPTY_ITEMS` and `MAX_DEPTH`.

Refused: truncated or trailing bytes; a varint that is longer than it need be, over 64 bits, or over 32 for an int; a
boolean that is neither 0 nor 1; a length, index or count out of range; a block whose size in bytes is not what it says;
a map key twice; text that is not UTF-8. Source: Avro 1.12 specification, "Binary Encoding"; where it allows two
encodings of a number, only the shortest is taken, so that what is kept is kept byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable

from tidings.projection.types import AvroType, TypeTable, kind_of, read_types

MAX_EMPTY_ITEMS = 1024
"""How many items without bytes (nulls, empty records) one event may hold."""
MAX_DEPTH = 48
"""How deep types may nest in one event; recursive types are what can."""


class Malformed(ValueError):
    """The bytes are not one record of the schema. Carries nothing of them."""


class _Budget:
    __slots__ = ("depth", "empty_items")

    def __init__(self) -> None:
        self.empty_items = MAX_EMPTY_ITEMS
        self.depth = MAX_DEPTH


Check = Callable[[bytes, int, _Budget], int]
"""From where a value starts to where it ends. Raises Malformed."""


def structure_of(schema: AvroType) -> Callable[[bytes], None]:
    """The check for a standalone schema: returns for one whole record, raises Malformed for anything else."""
    table = read_types(schema)
    check = _Compiler(table).compile(table.root)

    def whole(body: bytes) -> None:
        if check(body, 0, _Budget()) != len(body):
            raise Malformed("bytes are left over")

    return whole


class _Compiler:
    def __init__(self, table: TypeTable) -> None:
        self._table = table
        self._done: dict[str, list[Check]] = {}

    def compile(self, schema: AvroType) -> Check:
        """The check of one type."""
        schema = self._table.resolve(schema)
        kind = kind_of(schema)
        name = schema.get("name") if isinstance(schema, dict) else None
        if name is None:
            return self._build(kind, schema)
        if name not in self._done:
            self._done[name] = []
            self._done[name].append(self._build(kind, schema))
        return _later(self._done[name]) if kind == "record" else self._done[name][0]

    def _build(self, kind: str, schema: AvroType) -> Check:
        if kind in _SIMPLE:
            return _SIMPLE[kind]
        if kind == "union":
            return _union([self.compile(branch) for branch in schema])
        if kind == "record":
            return _record([self.compile(item["type"]) for item in schema["fields"]])
        if kind == "enum":
            return _enum(len(schema["symbols"]))
        if kind == "fixed":
            return _fixed(int(schema["size"]))
        if kind == "array":
            return _blocks(self.compile(schema["items"]), keyed=False)
        if kind == "map":
            return _blocks(self.compile(schema["values"]), keyed=True)
        raise ValueError(f"the Avro type {kind} is unknown")


def _later(built: list[Check]) -> Check:
    def check(body: bytes, at: int, budget: _Budget) -> int:
        if budget.depth == 0:
            raise Malformed("the record nests too deep")
        budget.depth -= 1
        end = built[0](body, at, budget)
        budget.depth += 1
        return end

    return check


def read_long(body: bytes, at: int, bits: int = 64) -> tuple[int, int]:
    """The number at `at` and where it ends. Raises Malformed."""
    if at < len(body) and (byte := body[at]) < 0x80:
        return (byte >> 1) ^ -(byte & 1), at + 1
    result = shift = 0
    while True:
        if at >= len(body):
            raise Malformed("the record is cut short")
        byte = body[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > bits:
            raise Malformed("a number is too long")
    if result >> bits or (byte == 0 and shift):
        raise Malformed("a number is too long")
    return (result >> 1) ^ -(result & 1), at


def _null(body: bytes, at: int, budget: _Budget) -> int:  # noqa: ARG001 - one signature for all types
    return at


def _boolean(body: bytes, at: int, budget: _Budget) -> int:
    end = _fixed(1)(body, at, budget)
    if body[at] > 1:
        raise Malformed("a truth value is neither 0 nor 1")
    return end


def _int(body: bytes, at: int, budget: _Budget) -> int:  # noqa: ARG001 - one signature for all types
    return read_long(body, at, 32)[1]


def _long(body: bytes, at: int, budget: _Budget) -> int:  # noqa: ARG001 - one signature for all types
    return read_long(body, at)[1]


def _bytes(body: bytes, at: int, budget: _Budget) -> int:  # noqa: ARG001 - one signature for all types
    length, at = read_long(body, at)
    if not 0 <= length <= len(body) - at:
        raise Malformed("a length is out of range")
    return at + length


def _string(body: bytes, at: int, budget: _Budget) -> int:  # noqa: ARG001 - one signature for all types
    length, start = read_long(body, at)
    end = start + length
    if not start <= end <= len(body):
        raise Malformed("a length is out of range")
    text = body[start:end]
    if text.isascii():
        return end
    try:
        text.decode()
    except UnicodeDecodeError:
        raise Malformed("a text is not UTF-8") from None
    return end


def _fixed(size: int) -> Check:
    def check(body: bytes, at: int, budget: _Budget) -> int:  # noqa: ARG001 - one signature for all types
        if size > len(body) - at:
            raise Malformed("the record is cut short")
        return at + size

    return check


def _enum(symbols: int) -> Check:
    def check(body: bytes, at: int, budget: _Budget) -> int:  # noqa: ARG001 - one signature for all types
        index, at = read_long(body, at, 32)
        if not 0 <= index < symbols:
            raise Malformed("an enum's index is out of range")
        return at

    return check


def _union(branches: list[Check]) -> Check:
    if len(branches) == 2 and branches[0] is _null:
        return _nullable(branches[1])

    def check(body: bytes, at: int, budget: _Budget) -> int:
        index, at = read_long(body, at)
        if not 0 <= index < len(branches):
            raise Malformed("a union's branch is out of range")
        return branches[index](body, at, budget)

    return check


def _nullable(branch: Check) -> Check:
    """The union of null and one type, which is most of every event: one byte says which, most often null."""

    def check(body: bytes, at: int, budget: _Budget) -> int:
        mark = body[at : at + 1]
        if mark == b"\x00":
            return at + 1
        if mark == b"\x02":
            return branch(body, at + 1, budget)
        read_long(body, at)
        raise Malformed("a union's branch is out of range")

    return check


def _record(fields: list[Check]) -> Check:
    def check(body: bytes, at: int, budget: _Budget) -> int:
        for field in fields:
            at = field(body, at, budget)
        return at

    return check


def _blocks(item: Check, *, keyed: bool) -> Check:
    def check(body: bytes, at: int, budget: _Budget) -> int:
        seen: set[bytes] = set()
        while True:
            count, at = read_long(body, at)
            if count == 0:
                return at
            size = None
            if count < 0:
                size, at = read_long(body, at)
                count = -count
            start = at
            for _ in range(count):
                before = at
                if keyed:
                    at = _key(body, at, budget, seen)
                at = item(body, at, budget)
                if at == before:
                    _spend_empty(budget)
            if size is not None and size != at - start:
                raise Malformed("a block has not the size that it says")

    return check


def _key(body: bytes, at: int, budget: _Budget, seen: set[bytes]) -> int:
    end = _string(body, at, budget)
    key = body[at:end]
    if key in seen:
        raise Malformed("a map holds one key twice")
    seen.add(key)
    return end


def _spend_empty(budget: _Budget) -> None:
    budget.empty_items -= 1
    if budget.empty_items < 0:
        raise Malformed("too many items without bytes")


_SIMPLE: dict[str, Check] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": _fixed(4),
    "double": _fixed(8),
    "bytes": _bytes,
    "string": _string,
}
