"""Source for what a view takes out of arrays: a walk along the field, element by element."""

from __future__ import annotations

from collections.abc import Callable

from tidings.masks.redact import REDACTED
from tidings.projection.generate_code import Code
from tidings.projection.generate_copy import Copies
from tidings.projection.generate_masks import Leaf
from tidings.projection.generate_notes import Types, without_null
from tidings.projection.plan import RECORD
from tidings.projection.program import Op
from tidings.wire import sized

REDACTED_BYTES = b"\2" + sized(REDACTED.encode())

LeafOf = Callable[[Op, int], Leaf]
"""From an operation and the row of one element to the function of its mask."""


def redacted(types: Types, row: int, place: str) -> str:
    """The expression for a redacted field that begins at `place`."""
    kind = types[row]
    if _holds_nothing(types, row):
        return 'b"\\0"'
    if kind.kind in ("array", "map"):
        return f'({REDACTED_BYTES!r} if b[{place}] else b"\\0")'
    if kind.kind != "union":
        return repr(REDACTED_BYTES)
    lists = bytes(2 * at for at, of in enumerate(kind.of) if types[of].kind in ("array", "map"))
    full = [types[of].kind not in ("array", "map") and not _holds_nothing(types, of) for of in kind.of]
    values = bytes(2 * at for at, each in enumerate(full) if each)
    tests = [f"b[{place}] in {values!r}"] if values else []
    tests += [f"b[{place}] in {lists!r} and b[{place} + 1]"] if lists else []
    return f'({REDACTED_BYTES!r} if {" or ".join(tests) or "False"} else b"\\0")'


def _holds_nothing(types: Types, row: int) -> bool:
    kind = types[row]
    return kind.kind == "null" or (kind.kind == "record" and not kind.of)


class Walk:
    """Adds functions that take the body, where a field begins and the event id as the feed delivers it, and return what
    the view has of the field."""

    def __init__(self, code: Code, types: Types, copies: Copies, leaf_of: LeafOf) -> None:
        self._code, self._types, self._copies, self._leaf_of = code, types, copies, leaf_of

    def function(self, op: Op) -> str:
        """The function for one operation of a view; its name."""
        own = self._code.child()
        name = own.name("each")
        with own.block(f"def {name}(b, p, i):  # {op.path}: {op.how}"):
            own.line("x = []")
            self._field(own, op, op.path.rpartition(".")[0], ())
            own.line('return b"".join(x)')
        self._code.add(own)
        return name

    def _field(self, code: Code, op: Op, above: str, numbers: tuple[str, ...]) -> None:
        if op.how == "keep":
            code.line("a = p")
            self._copies.field(code, op.type)
            code.line("x.append(b[a:p])")
        elif op.how == "redact":
            code.line(f"x.append({redacted(self._types, op.type, 'p')})")
            self._copies.skip(code, op.type)
        else:
            framed = self._types[op.type].kind != "array"
            path = f"{above}.{op.name}" if above else op.name
            self._value(code, op, op.type, path, numbers, framed=framed)

    def _value(self, code: Code, op: Op, row: int, path: str, numbers: tuple[str, ...], *, framed: bool) -> None:
        kind = self._types[row]
        if kind.kind == "union":
            inner, null = without_null(self._types, row)
            code.line("n = b[p]")
            code.line("p += 1")
            with code.block(f"if n == {null}:"):
                code.line('x.append(b"\\0")')
            with code.block("else:"):
                self._value(code, op, inner, path, numbers, framed=True)
            return
        # A mask that may give null writes the index of its own union, which is not that of an array around it.
        if framed and (kind.kind == "array" or not op.null):
            code.line('x.append(b"\\2")')
        if kind.kind == "array":
            self._items(code, op, row, path, numbers)
        elif op.how == RECORD:
            self._record(code, op, row, path, numbers)
        else:
            where = f"{path.encode()!r} % ({', '.join(numbers)},)" if numbers else repr(path.encode())
            code.line("q = p")
            self._copies.skip(code, row)
            mask = code.object(op.how, self._leaf_of(op, row))
            code.line(f"x.append({mask}(b, q, p, {where if op.how == 'encrypt' else repr(b'')}, i))")

    def _items(self, code: Code, op: Op, row: int, path: str, numbers: tuple[str, ...]) -> None:
        code.line("q = p")
        code.line("p = p + 1 if b[p] < 128 else after(b, p)")
        code.line("x.append(b[q:p])")
        with code.block("if b[q]:"):
            at, count = code.name("at"), code.name("count")
            code.line(f"{count} = b[q] >> 1 if b[q] < 128 else read_long(b, q)[0]")
            with code.block(f"for {at} in range({count}):"):
                self._value(code, op, self._types[row].of[0], f"{path}[%d]", (*numbers, at), framed=False)
            code.line("p += 1")
            code.line('x.append(b"\\0")')

    def _record(self, code: Code, op: Op, row: int, path: str, numbers: tuple[str, ...]) -> None:
        children = {child.at: child for child in op.children}
        for at, of in enumerate(self._types[row].of):
            if at in children:
                self._field(code, children[at], path, numbers)
            else:
                self._copies.skip(code, of)
        if not self._types[row].of:
            code.line("pass")
