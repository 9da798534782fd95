"""The splice: source that joins slices of an event, masked values and derived ids into one view."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.projection import ids
from tidings.projection.generate_masks import tag
from tidings.projection.generate_ops import Pieces
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

    It takes events (the body, its places, and room for what views share) and the flags of them all, and returns what is
    projected of each, or None for an event that the reference is to project. Raises Unsupported.
    """
    return _View(splice, view, steps).write()


class _View:
    def __init__(self, splice: Splice, view: ViewProgram, steps: Mapping[str, Step]) -> None:
        self._splice, self._view = splice, view
        self._program, self._types, self._notes = splice.program, splice.types, splice.notes
        self._keys, self._group = splice.keys, view.group
        self._code = splice.code.child()
        self._pieces = Pieces(splice, self._code, view.group, steps)
        self._derived = False

    def write(self) -> str:
        """See `write_view`."""
        code = self._code
        name = code.name("view")
        self._derived = next(op for op in self._view.ops if op.path == "record_id").how == RECORD_ID
        with code.block(f"def {name}(events, flags):  # {self._view.feed}"):
            code.line("made, chosen, whoms, whats, ids = [FILTERED] * len(events), [], [], [], []")
            with code.block("for at, (b, o, c) in enumerate(events):"):
                self._choose()
            self._derive()
            with code.block("for (at, live, b, o, c, ready), key, r, i in zip(chosen, keys, records, ids):"):
                self._make()
            code.line("return made")
        self._splice.code.add(code)
        return name

    def _choose(self) -> None:
        """Lines that leave out an event which is surely not delivered, and gather what the others' ids are of."""
        code, notes = self._code, self._notes
        self._protection()
        conditions = [write_condition(code, notes, self._types, each) for each in self._view.where]
        code.line(f"live = {' and '.join(conditions) or 'True'}")
        if conditions:
            change = self._types[self._types[self._program.root].of[self._at("change")]]
            created = 2 * change.names.index("CREATED") if "CREATED" in change.names else -1
            code.line(f"if not live and b[o[{notes.start('change')}]] == {created}:")
            code.line("    continue")
        code.line("ready = c[0] or prepare(b, o, c)")
        code.line("chosen.append((at, live, b, o, c, ready))")
        code.line("whoms.append(ready[0])")
        if self._derived:
            code.line("whats.append(ready[1])")
        if self._event_id.how == EVENT_ID:
            code.line("ids.append(ready[2])")

    def _derive(self) -> None:
        """Lines that make `keys`, `records` (the 32 characters of the derived ids) and `ids` of all chosen events."""
        code = self._code
        hashed = code.object("keyed", keyed(self._keys, self._group, "pseudonym"))
        code.line(f"keys = pseudonyms({hashed}, whoms, {tag(self._keys)!r})")
        if self._derived:
            hashed = code.object("keyed", keyed(self._keys, self._group, ids.RECORD_ID))
            code.line(f"records = pseudonyms({hashed}, whats)")
        else:
            code.line('records = [b""] * len(chosen)  # kept')
        if self._event_id.how == EVENT_ID:
            permute = code.object("permuted", permuted(self._keys, self._group, ids.EVENT_ID))
            code.line(f"ids = uuid_texts({permute}, ids)")
        elif self._event_id.how == "keep":
            place = f"o[{self._notes.start('event_id')}]"
            code.line(f"ids = [b[{place} + 1:{place} + 37] for _, _, b, o, _, _ in chosen]")
        else:
            code.line('ids = [b""] * len(chosen)')

    def _make(self) -> None:
        """Lines that put one chosen event's view together."""
        code = self._code
        if self._view.interest is not None:
            wanted = code.object("interest", frozenset(key.encode() for key in self._view.interest))
            code.line(f"if key not in {wanted}:")
            code.line("    continue")
        code.line(READY)
        if self._view.where:
            with code.block("if not live:"):
                code.line(f'made[at] = new(Projected, ("withdrawn", key, {self._splice.joined(self._withdrawn())}))')
                code.line("continue")
        made = self._splice.joined(self._live(), always=True)
        code.line(f'made[at] = new(Projected, ("delivered", key, {made}))')

    @property
    def _event_id(self) -> Op:
        return self._view.ops[0]

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
                code.line("continue")
            elif hides:
                code.line("made[at] = None  # without location: the reference's")
                code.line("continue")
            else:
                code.line("pass")

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
