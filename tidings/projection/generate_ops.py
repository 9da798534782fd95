"""What one operation of a view adds to it: bytes that are always the same, and expressions for the others."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.projection import ids
from tidings.projection.generate_code import Code, Unsupported
from tidings.projection.generate_copy import only_first, same_bytes
from tidings.projection.generate_masks import Leaf, leaf, tag
from tidings.projection.generate_notes import without_null
from tidings.projection.generate_runtime import permuted
from tidings.projection.generate_share import EMPTY, OfEvent, Piece, Slice, Splice
from tidings.projection.generate_walk import Walk, redacted
from tidings.projection.heads import ABSENT, EVENT_ID, LIFE_EVENT_ID, RECORD_ID
from tidings.projection.plan import RECORD, Step
from tidings.projection.program import Op
from tidings.wire import sized


class Pieces:
    """The pieces of one view. `steps` are the plan's, by path."""

    def __init__(self, splice: Splice, code: Code, group: str, steps: Mapping[str, Step]) -> None:
        self._splice, self._code, self._group, self._steps = splice, code, group, steps
        self._types, self._notes, self._keys = splice.types, splice.notes, splice.keys
        self._walk = Walk(splice.code, splice.types, splice.copies, self._leaf_of)
        self._before = sized(tag(splice.keys) + bytes(32))[:-32]

    def record_id(self, op: Op) -> list[Piece]:
        """The one field that is never null; `r` holds what a derived one is of."""
        if op.how == RECORD_ID:
            return [self._before, "r"]
        if op.how == "keep" and op.plain:
            return [Slice(self._notes.start(op.path), self._notes.end(op.path))]
        raise Unsupported("record_id is neither kept nor derived")

    def of(self, op: Op) -> list[Piece]:
        """What one operation adds to the view, framed. Adds lines where it takes more than expressions."""
        if op.how == ABSENT:
            return [EMPTY]
        if op.path == "record_id":
            return self.record_id(op)
        if op.how in (EVENT_ID, LIFE_EVENT_ID):
            return [b"\2H", "i"] if op.path == "event_id" else self._derived(op)
        if self._crosses_array(op):
            name = self._walk.function(op)
            return [f"{name}(b, o[{self._notes.start(op.path)}], i)"]
        if op.how == "redact":
            return [OfEvent(redacted(self._types, op.type, f"o[{self._notes.start(op.path)}]"))]
        if op.how == "keep":
            return self._keep(op)
        if op.how == "pseudonym" and op.path == "subject":
            return [b"\2" + self._before.removesuffix(tag(self._keys)), "key"]
        return self._masked(op)

    def _derived(self, op: Op) -> list[Piece]:
        purpose, raw = (ids.EVENT_ID, "older") if op.how == EVENT_ID else (ids.LIFE_EVENT_ID, "life")
        permute = self._code.object("permuted", permuted(self._keys, self._group, purpose))
        made = self._code.name("id")
        self._code.line(f'{made} = b"\\2H" + {uuid_of(permute, raw)} if {raw} else b"\\0"')
        return [made]

    def _keep(self, op: Op) -> list[Piece]:
        kind = self._types[op.type].kind
        if kind == "null":
            return []
        start, end = self._notes.start(op.path), self._notes.end(op.path)
        if same_bytes(self._types, op.type):
            return [b"\2" * (kind not in ("array", "map", "union")), Slice(start, end)]
        inner, null = without_null(self._types, op.type)
        if null == 0 and only_first(self._types, inner):
            return [OfEvent(f'(b"\\2\\2" + b[o[{start}] + 1:o[{end}]] if b[o[{start}]] else b"\\0")')]
        return [self._splice.kept(op)]

    def _masked(self, op: Op) -> list[Piece]:
        """A mask, or the named parts, of a field that is no array."""
        inner, null = without_null(self._types, op.type)
        place = f"o[{self._notes.start(op.path)}]"
        value = f"{place} + 1" if inner != op.type else place
        if null < 0:
            return self._present(op, inner, value)
        here = f"b[{place}]" if null == 0 else f"b[{place}] != {null}"
        code, before = self._code, self._code.mark()
        with code.block(f"if {here}:"):
            pieces = self._present(op, inner, value)
            whole = self._splice.joined(pieces)
            if all(isinstance(piece, (bytes, Slice, OfEvent)) for piece in pieces):
                code.back_to(before)
                return [OfEvent(f'({whole} if {here} else b"\\0")')]
            made = code.name("part")
            code.line(f"{made} = {whole}")
        with code.block("else:"):
            code.line(f'{made} = b"\\0"')
        return [made]

    def _present(self, op: Op, row: int, place: str) -> list[Piece]:
        if op.how == RECORD:
            return [b"\2", *(piece for child in op.children for piece in self.of(child))]
        mask = self._code.object(op.how, self._leaf_of(op, row))
        path = op.path.encode() if op.how == "encrypt" else b""
        return [b"\2" * (not op.null), f"{mask}(b, {place}, o[{self._notes.end(op.path)}], {path!r}, i)"]

    def _leaf_of(self, op: Op, row: int) -> Leaf:
        return leaf(op, self._types, row, self._steps[op.path], self._keys, self._group)

    def _crosses_array(self, op: Op) -> bool:
        inner, _ = without_null(self._types, op.type)
        return op.how not in ("keep", "redact") and self._types[inner].kind == "array"

    def is_something(self, op: Op) -> bool:
        """Whether an empty field has any bytes: a field of type null has none."""
        return op.how != "keep" or self._types[op.type].kind != "null"


def uuid_of(permute: str, raw: str) -> str:
    """The expression for the uuid that stands for another."""
    return f'b"-".join(groups(hexlify({permute}({raw}))))'
