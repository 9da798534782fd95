"""The splice: source that joins slices of an event, masked values and derived ids into one view."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.projection import ids
from tidings.projection.generate_masks import tag
from tidings.projection.generate_ops import Pieces, uuid_of
from tidings.projection.generate_runtime import keyed, permuted
from tidings.projection.generate_share import EMPTY, READY, Piece, Splice
from tidings.projection.generate_where import write_condition
from tidings.projection.heads import EVENT_ID, RECORD_ID
from tidings.projection.plan import Step
from tidings.projection.program import Op, ViewProgram
from tidings.wire import zigzag

LIVE, WITHDRAWN = b"\0", b"\4"


def write_view(splice: Splice, view: ViewProgram, steps: Mapping[str, Step]) -> str:
    """Add the function of one view; its name.

    It takes a scan and the flags, and returns what is projected, or None for an event that the reference is to project.
    Raises Unsupported.
    """
    return _View(splice, view, steps).write()


class _View:
    def __init__(self, splice: Splice, view: ViewProgram, steps: Mapping[str, Step]) -> None:
        self._splice, self._view = splice, view
        self._program, self._types, self._notes = splice.program, splice.types, splice.notes
        self._keys, self._group = splice.keys, view.group
        self._code = splice.code.child()
        self._pieces = Pieces(splice, self._code, view.group, steps)

    def write(self) -> str:
        """See `write_view`."""
        code, notes = self._code, self._notes
        name = code.name("view")
        with code.block(f"def {name}(s, flags):  # {self._view.feed}"):
            code.line("b, o, c = s.body, s.places, s.made")
            self._protection()
            record_id = next(op for op in self._view.ops if op.path == "record_id")
            derived = record_id.how == RECORD_ID
            conditions = [write_condition(code, notes, self._types, each) for each in self._view.where]
            if conditions:
                change = self._types[self._types[self._program.root].of[self._at("change")]]
                created = 2 * change.names.index("CREATED") if "CREATED" in change.names else -1
                code.line(f"live = {' and '.join(conditions)}")
                code.line(f"if not live and b[o[{notes.start('change')}]] == {created}:")
                code.line("    return FILTERED")
            code.line(READY)
            self._digests(derived=derived)
            if self._view.interest is not None:
                wanted = code.object("interest", frozenset(key.encode() for key in self._view.interest))
                code.line(f"if key not in {wanted}:")
                code.line("    return FILTERED")
                if derived:
                    self._record_digest(alone=True)
            if conditions:
                with code.block("if not live:"):
                    code.line(f'return new(Projected, ("withdrawn", key, {self._splice.joined(self._withdrawn())}))')
            pieces = self._live()
            code.line(f'return new(Projected, ("delivered", key, {self._splice.joined(pieces, always=True)}))')
        self._splice.code.add(code)
        return name

    def _at(self, name: str) -> int:
        return self._types[self._program.root].names.index(name)

    def _protection(self) -> None:
        code = self._code
        names = self._types[self._types[self._program.root].of[self._at("protection")]].names
        none = 2 * names.index("NONE") if "NONE" in names else -1
        if self._view.protected == "full":
            return
        with code.block(f"if b[o[{self._notes.start('protection')}]] != {none}:"):
            hides = any(map(_tells_location, self._view.ops)) or self._view.visible != self._view.visible_hidden
            if self._view.protected == "none":
                code.line("return FILTERED")
            elif hides:
                code.line("return None  # without location: the reference's")
            else:
                code.line("pass")

    def _digests(self, *, derived: bool) -> None:
        """`key`, and `r`, the 32 characters of the record's derived id: in one go, where both are surely needed."""
        code = self._code
        hashed = code.object("keyed", keyed(self._keys, self._group, "pseudonym"))
        code.line(f"h = {hashed}()")
        code.line("h.update(whom)")
        if derived and self._view.interest is None:
            self._record_digest(alone=False)
            code.line("r = base32_two(h.digest() + g.digest())")
            code.line(f"key = {tag(self._keys)!r} + r[:32]")
            code.line("r = r[32:]")
        else:
            code.line(f"key = {tag(self._keys)!r} + base32(h.digest())")

    def _record_digest(self, *, alone: bool) -> None:
        code = self._code
        hashed = code.object("keyed", keyed(self._keys, self._group, ids.RECORD_ID))
        code.line(f"g = {hashed}()")
        code.line("g.update(what)")
        if alone:
            code.line("r = base32(g.digest())")

    def _withdrawn(self) -> list[Piece]:
        pieces: list[Piece] = [WITHDRAWN + zigzag(self._program.policy_version)]
        for at, op in enumerate(self._view.ops):
            pieces += [EMPTY] * (at == self._view.flags_at)
            if op.path == "record_id":
                pieces += self._pieces.record_id(op)
            elif self._pieces.is_something(op):
                pieces.append(EMPTY)
        return pieces + [EMPTY] * (self._view.flags_at == len(self._view.ops))

    def _live(self) -> list[Piece]:
        pieces: list[Piece] = [LIVE + zigzag(self._program.policy_version)]
        event_id = self._view.ops[0]
        if event_id.how == EVENT_ID:
            permute = self._code.object("permuted", permuted(self._keys, self._group, ids.EVENT_ID))
            self._code.line(f"i = {uuid_of(permute, 'event')}")
        elif event_id.how == "keep":
            place = f"o[{self._notes.start('event_id')}]"
            self._code.line(f"i = b[{place} + 1:{place} + 37]")
        else:
            self._code.line('i = b""')
        for at, op in enumerate(self._view.ops):
            if at == self._view.flags_at:
                pieces.append(self._flags())
            pieces += self._pieces.of(op)
        return pieces + ([self._flags()] if self._view.flags_at == len(self._view.ops) else [])

    def _flags(self) -> Piece:
        shown = self._code.object("visible", self._view.visible)
        return f'(shown_flags(flags, {shown}) if flags else b"\\0")'


def _tells_location(op: Op) -> bool:
    return op.location or op.location_below or any(map(_tells_location, op.children))
