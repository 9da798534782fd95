"""What the views of one inbox have in common: the pieces of a view, and those that several views are made of.

In the source of a view `b` is the body, `o` the places that the scan noted, `c` what views share (made when the first
of them asks), `i` the event id as the feed delivers it, `key` the feed's key and `r` what a derived record id is of.
`whom`, `what`, `event`, `life` and `older` are what the derived ids are made of: the pseudonym of the subject, the
derived ids of the record, the event, the happening and the event that this one supersedes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidings.keys import KeyRing
from tidings.projection.generate_code import Code
from tidings.projection.generate_copy import Copies
from tidings.projection.generate_notes import Notes
from tidings.projection.program import InboxProgram, Op

EMPTY = b"\0"
READY = "<ready> = ready"
"""The line of a view after which the derived ids can be made, of what `prepare` made."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The event's own bytes between two places, by their numbers."""

    start: int
    end: int


class OfEvent(str):
    """An expression of the event alone, the same in each view."""

    __slots__ = ()


Piece = bytes | Slice | OfEvent | str
"""Bytes that are always the same, or what makes others; a plain text is an expression of this view alone."""


class Splice:
    """What views are written with. After all of them `finish` settles what they share."""

    def __init__(self, code: Code, program: InboxProgram, notes: Notes, keys: KeyRing) -> None:
        self.code, self.program, self.notes, self.keys = code, program, notes, keys
        self.types = program.types
        self.copies = Copies(code, program.types)
        self._numbers: dict[str, int] = {"ready": 0}
        self._kept: dict[str, str] = {}
        self._runs: dict[tuple[str, ...], _Run] = {}

    @property
    def shared(self) -> int:
        """How many things the views share."""
        return len(self._numbers)

    def kept(self, op: Op) -> OfEvent:
        """A kept field whose bytes are not the event's own: made once for all views."""
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
        return OfEvent(f"(c[{number}] or {self._kept[op.path]}(b, o, c))")

    def joined(self, pieces: Sequence[Piece], *, always: bool = False) -> str:
        """One expression for all pieces; `always` says that each event that is delivered needs it.

        What is the same side by side is one piece, and so are pieces of the event alone that stand side by side in
        several views.
        """
        made: list[str] = []
        run: list[bytes | Slice | OfEvent] = []
        for piece in (*pieces, ""):
            if isinstance(piece, (bytes, Slice, OfEvent)):
                run.append(piece)
                continue
            merged = _merged(run)
            if all(isinstance(each, bytes) for each in merged):
                made += [repr(each) for each in merged]
            else:
                made.append(self._mark(tuple(map(_text, merged)), always=always))
            run = []
            made += [piece] * bool(piece)
        if len(made) == 1:
            return made[0].replace(">", "!>") if made[0].startswith("<") else made[0]
        return f'b"".join(({", ".join(made)}))'

    def _mark(self, texts: tuple[str, ...], *, always: bool) -> str:
        run = self._runs.setdefault(texts, _Run(len(self._runs)))
        run.uses += 1
        run.always += always
        return f"<{run.number}>"

    def _number(self, what: str) -> int:
        return self._numbers.setdefault(what, len(self._numbers))

    def finish(self) -> None:
        """Add what the views called for, and put it where they called for it."""
        start = self.notes.start
        agency = self.program.agency.encode()
        prefix = self.code.object("agency", len(agency).to_bytes(4, "big") + agency)
        life, older = start("life_event_id"), start("supersedes")
        ready = {
            "whom": f"message(text_at(b, o[{start('subject.scheme')}]), text_at(b, o[{start('subject.value')}]))",
            "what": f"{prefix} + text_at(b, o[{start('record_id')}])",
            "event": f"raw_uuid(b, o[{start('event_id')}] + 1)",
            "life": f"raw_uuid(b, o[{life}] + 2) if b[o[{life}]] else None",
            "older": f"raw_uuid(b, o[{older}] + 2) if b[o[{older}]] else None",
        }
        # A run may stand in another, which is then the later one.
        for texts, run in reversed(self._runs.items()):
            alone = texts[0] if len(texts) == 1 else f'b"".join(({", ".join(texts)}))'
            beside = ", ".join(texts)
            if run.always > 1 and 2 * run.always >= len(self.program.views):
                name = f"run_{run.number}"
                ready[name] = alone
                alone = beside = name
            elif run.uses > 1:
                alone = beside = self._made(f"run_{run.number}", alone)
            self.code.replace(f"<{run.number}!>", alone)
            self.code.replace(f"<{run.number}>", beside)
            ready = {
                name: made.replace(f"<{run.number}!>", alone).replace(f"<{run.number}>", beside)
                for name, made in ready.items()
            }
        self.code.replace("<ready>", ", ".join(ready))
        with self.code.block("def prepare(b, o, c):"):
            for name, expression in ready.items():
                self.code.line(f"{name} = {expression}")
            self.code.line(f"c[0] = made = ({', '.join(ready)})")
            self.code.line("return made")
        self.code.line("")

    def _made(self, name: str, expression: str) -> str:
        number = self._number(name)
        with self.code.block(f"def {name}(b, o, c):"):
            self.code.line(f"c[{number}] = made = {expression}")
            self.code.line("return made")
        self.code.line("")
        return f"(c[{number}] or {name}(b, o, c))"


@dataclass(slots=True)
class _Run:
    number: int
    uses: int = 0
    always: int = 0


def _merged(run: Sequence[bytes | Slice | OfEvent]) -> list[bytes | Slice | OfEvent]:
    made: list[bytes | Slice | OfEvent] = []
    for piece in run:
        last = made[-1] if made else None
        if isinstance(piece, bytes) and isinstance(last, bytes):
            made[-1] = last + piece
        elif isinstance(piece, Slice) and isinstance(last, Slice) and last.end == piece.start:
            made[-1] = Slice(last.start, piece.end)
        elif piece != b"":
            made.append(piece)
    return made


def _text(piece: bytes | Slice | OfEvent) -> str:
    if isinstance(piece, Slice):
        return f"b[o[{piece.start}]:o[{piece.end}]]"
    return repr(piece) if isinstance(piece, bytes) else str(piece)
