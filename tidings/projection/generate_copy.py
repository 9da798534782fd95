"""Source that walks sound bytes once more: over what a view does not take, and through what it keeps.

A view's fields are unions of null and their type, null first. So what is kept is the event's own bytes, with a 2 before
each value of a nested field that the event's schema does not let be null. Blocks are those of the common form: the scan
has told of any other, and the reference projects such events.
Source: `view_names.view_field`.
"""

from __future__ import annotations

from collections.abc import Callable

from tidings.projection.generate_code import Code, Unsupported
from tidings.projection.generate_notes import Types, without_null
from tidings.projection.generate_types import is_nullable


def same_bytes(types: Types, row: int, around: frozenset[int] = frozenset()) -> bool:
    """Whether a value of this type is the same bytes in a view."""
    kind = types[row]
    match kind.kind:
        case "union":
            return is_nullable(types, row) and same_bytes(types, kind.of[1], around)
        case "array" | "map":
            return same_bytes(types, kind.of[0], around)
        case "record":
            inside = around | {row}
            return row in around or all(
                types[of].kind in ("null", "array", "map", "union") and same_bytes(types, of, inside) for of in kind.of
            )
    return True


def only_first(types: Types, row: int) -> bool:
    """Whether a record is in a view what it is in the event, but for a 2 before it all: a PartialDate. One that may
    hold another of itself is not: that one has its own 2."""
    kind = types[row]
    return (
        kind.kind == "record"
        and bool(kind.of)
        and types[kind.of[0]].kind not in ("null", "array", "map", "union", "record")
        and all(types[of].kind in ("null", "array", "map", "union") and same_bytes(types, of) for of in kind.of[1:])
    )


class Copies:
    """Adds what walks bytes: `p` is the place, `b` the body, `x` the pieces made, `a` from where none is made yet."""

    def __init__(self, code: Code, types: Types) -> None:
        self._code, self._types = code, types
        self._skipping: dict[int, str] = {}
        self._copying: dict[int, str] = {}

    def skip(self, code: Code, row: int) -> None:
        """Go past a value."""
        kind = self._types[row]
        match kind.kind:
            case "null":
                code.line("pass")
            case "boolean":
                code.line("p += 1")
            case "enum" if len(kind.names) <= 64:
                code.line("p += 1")
            case "int" | "long" | "enum":
                code.line("p = p + 1 if b[p] < 128 else after(b, p)")
            case "string" | "bytes":
                code.line("p = p + 1 + (b[p] >> 1) if b[p] < 128 else opaque(b, p)")
            case "float" | "double" | "fixed":
                code.line(f"p += { ({'float': 4, 'double': 8}.get(kind.kind, kind.size)) }")
            case "record":
                code.line(f"p = {self._skipper(row)}(b, p)")
            case "array" | "map":
                self.items(code, lambda _: self._entry(code, row, self.skip))
            case _:
                self._branches(code, row, self.skip)

    def copy(self, code: Code, row: int) -> None:
        """Go past a value and make what the view has of it, but for what stands from `a` on."""
        kind = self._types[row]
        if same_bytes(self._types, row):
            self.skip(code, row)
        elif kind.kind == "record":
            code.line(f"p, a = {self._copier(row)}(b, p, a, x)")
        elif kind.kind in ("array", "map"):
            self.items(code, lambda _: self._entry(code, row, self.copy))
        elif is_nullable(self._types, row):
            self._branches(code, row, self.copy)
        else:
            inner, null = without_null(self._types, row)
            if inner == row:
                raise Unsupported("a union of several types is kept by no view")
            code.line("x.append(b[a:p])")
            code.line("n = b[p]")
            code.line("p += 1")
            code.line("a = p")
            with code.block(f"if n == {null}:"):
                code.line('x.append(b"\\0")')
            with code.block("else:"):
                code.line('x.append(b"\\2")')
                self.copy(code, inner)

    def field(self, code: Code, row: int) -> None:
        """The same for a field of a record, which the view lets be null."""
        if self._types[row].kind not in ("null", "array", "map", "union"):
            code.line("x.append(b[a:p])")
            code.line('x.append(b"\\2")')
            code.line("a = p")
        self.copy(code, row)

    def items(self, code: Code, one: Callable[[str], None]) -> None:
        """The items of an array or map; `one` is told what names the item's number."""
        count, at = code.name("count"), code.name("at")
        with code.block("if b[p]:"):
            code.line(f"{count}, p = (b[p] >> 1, p + 1) if b[p] < 128 else read_long(b, p)")
            with code.block(f"for {at} in range({count}):"):
                one(at)
        code.line("p += 1")

    def _entry(self, code: Code, row: int, go: Callable[[Code, int], None]) -> None:
        if self._types[row].kind == "map":
            code.line("p = p + 1 + (b[p] >> 1) if b[p] < 128 else opaque(b, p)")
        go(code, self._types[row].of[0])

    def _branches(self, code: Code, row: int, go: Callable[[Code, int], None]) -> None:
        code.line("n = b[p]")
        code.line("p += 1")
        for at, branch in enumerate(self._types[row].of):
            if self._types[branch].kind != "null":
                with code.block(f"if n == {2 * at}:"):
                    go(code, branch)

    def _skipper(self, row: int) -> str:
        if row not in self._skipping:
            own = self._code.child()
            name = self._skipping[row] = own.name("skip_record")
            with own.block(f"def {name}(b, p):"):
                for of in self._types[row].of:
                    self.skip(own, of)
                own.line("return p")
            self._code.add(own)
        return self._skipping[row]

    def _copier(self, row: int) -> str:
        if row not in self._copying:
            own = self._code.child()
            name = self._copying[row] = own.name("copy_record")
            with own.block(f"def {name}(b, p, a, x):"):
                for of in self._types[row].of:
                    self.field(own, of)
                own.line("return p, a")
            self._code.add(own)
        return self._copying[row]
