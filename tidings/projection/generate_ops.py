"""What one operation of a view adds to it: bytes that are always the same, and expressions for the others.

In the source of a view `b` is the body, `o` the places that the scan noted, `c` what views share, `i` the event id as
the feed delivers it, `key` the feed's key and `r` what a derived record id is of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidings.keys import KeyRing
from tidings.projection import ids
from tidings.projection.generate_code import Code, Unsupported
from tidings.projection.generate_copy import Copies, only_first, same_bytes
from tidings.projection.generate_masks import Leaf, encoded_text, leaf, tag
from tidings.projection.generate_notes import Notes, without_null
from tidings.projection.generate_runtime import permuted
from tidings.projection.generate_walk import Walk, redacted
from tidings.projection.heads import ABSENT, EVENT_ID, LIFE_EVENT_ID, RECORD_ID
from tidings.projection.plan import RECORD, Step
from tidings.projection.program import InboxProgram, Op

Piece = bytes | str
"""Bytes that are always the same, or an expression for others."""

EMPTY = b"\0"


class Splice:
    """What the views of one inbox are written with, and the functions that they share.

    What several views of one event need is made when the first of them asks; `c` keeps it.
    """

    def __init__(self, code: Code, program: InboxProgram, notes: Notes, keys: KeyRing) -> None:
        self.code, self.program, self.notes, self.keys = code, program, notes, keys
        self.types = program.types
        self.copies = Copies(code, program.types)
        self._numbers: dict[str, int] = {}
        self._kept: dict[str, str] = {}

    @property
    def shared(self) -> int:
        """How many things the views share."""
        return len(self._numbers)

    def kept(self, op: Op) -> str:
        """The expression for a kept field whose bytes are not the event's own: made once for all views."""
        number = self._number(f"kept {op.path}")
        if op.path not in self._kept:
            own = self.code.child()
            name = self._kept[op.path] = own.name("kept")
            with own.block(f"def {name}(b, o, c):  # {op.path}"):
                own.line(f"p = a = o[{self.notes.start(op.path)}]")
                own.line("x = []")
                self.copies.field(own, op.type)
                own.line("x.append(b[a:p])")
                own.line(f'c[{number}] = made = b"".join(x)')
                own.line("return made")
            self.code.add(own)
        return f"(c[{number}] or {self._kept[op.path]}(b, o, c))"

    def common(self, name: str) -> str:
        """The expression for one of the things that `write_common` makes."""
        return f"(c[{self._number(name)}] or {name}(b, o, c))"

    def _number(self, what: str) -> int:
        return self._numbers.setdefault(what, len(self._numbers))

    def write_common(self) -> None:
        """Add what the views called for: what is the same in all of them, and is made for the first that asks."""
        start = self.notes.start
        subject = f"message(text_at(b, o[{start('subject.scheme')}]), text_at(b, o[{start('subject.value')}]))"
        agency = self.program.agency.encode()
        prefix = self.code.object("agency", len(agency).to_bytes(4, "big") + agency)
        made = {
            "subject_message": subject,
            "record_message": f"{prefix} + text_at(b, o[{start('record_id')}])",
            "raw_event_id": f"raw_uuid(b, o[{start('event_id')}] + 1)",
            "raw_life_event_id": f"raw_uuid(b, o[{start('life_event_id')}] + 2)",
        }
        for name, expression in made.items():
            own = self.code.child()
            with own.block(f"def {name}(b, o, c):"):
                own.line(f"c[{self._number(name)}] = made = {expression}")
                own.line("return made")
            self.code.add(own)


class Pieces:
    """The pieces of one view. `steps` are the plan's, by path."""

    def __init__(self, splice: Splice, code: Code, group: str, steps: Mapping[str, Step]) -> None:
        self._splice, self._code, self._group, self._steps = splice, code, group, steps
        self._types, self._notes, self._keys = splice.types, splice.notes, splice.keys
        self._walk = Walk(splice.code, splice.types, splice.copies, self._leaf_of)
        self._before = encoded_text(tag(splice.keys) + bytes(32))[:-32]

    def record_id(self, op: Op) -> list[Piece]:
        """The one field that is never null; `r` holds what a derived one is of."""
        if op.how == RECORD_ID:
            return [self._before, "r"]
        if op.how == "keep" and op.plain:
            return [f"b[o[{self._notes.start(op.path)}]:o[{self._notes.end(op.path)}]]"]
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
            return [redacted(self._types, op.type, f"o[{self._notes.start(op.path)}]")]
        if op.how == "keep":
            return self._keep(op)
        if op.how == "pseudonym" and op.path == "subject":
            return [b"\2" + self._before.removesuffix(tag(self._keys)), "key"]
        return self._masked(op)

    def _derived(self, op: Op) -> list[Piece]:
        purpose = ids.EVENT_ID if op.how == EVENT_ID else ids.LIFE_EVENT_ID
        permute = self._code.object("permuted", permuted(self._keys, self._group, purpose))
        made = self._code.name("id")
        code, place = self._code, f"o[{self._notes.start(op.path)}]"
        with code.block(f"if b[{place}]:"):
            raw = f"raw_uuid(b, {place} + 2)"
            if op.how == LIFE_EVENT_ID:
                raw = self._splice.common("raw_life_event_id")
            code.line(f'{made} = b"\\2H" + uuid_text({permute}({raw}))')
        with code.block("else:"):
            code.line(f'{made} = b"\\0"')
        return [made]

    def _keep(self, op: Op) -> list[Piece]:
        kind = self._types[op.type].kind
        place, end = f"o[{self._notes.start(op.path)}]", f"o[{self._notes.end(op.path)}]"
        if kind == "null":
            return []
        if same_bytes(self._types, op.type):
            return [b"\2" * (kind not in ("array", "map", "union")), f"b[{place}:{end}]"]
        inner, null = without_null(self._types, op.type)
        if null == 0 and only_first(self._types, inner):
            return [f'(b"\\2\\2" + b[{place} + 1:{end}] if b[{place}] else b"\\0")']
        return [self._splice.kept(op)]

    def _masked(self, op: Op) -> list[Piece]:
        """A mask, or the named parts, of a field that is no array."""
        inner, null = without_null(self._types, op.type)
        place = f"o[{self._notes.start(op.path)}]"
        value = f"{place} + 1" if inner != op.type else place
        if null < 0:
            return self._present(op, inner, value)
        code, made = self._code, self._code.name("part")
        with code.block(f"if b[{place}] {'' if null == 0 else f'!= {null}'}".rstrip() + ":"):
            code.line(f"{made} = {joined(self._present(op, inner, value))}")
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


def joined(pieces: Sequence[Piece]) -> str:
    """One expression for all pieces; those that are always the same are joined here."""
    made: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, bytes) and made and isinstance(made[-1], bytes):
            made[-1] += piece
        elif piece != b"":
            made.append(piece)
    texts = [repr(piece) if isinstance(piece, bytes) else piece for piece in made]
    return texts[0] if len(texts) == 1 else f'b"".join(({", ".join(texts)}))'
