"""The scan: source that reads an event's bytes once, refuses what `structure` refuses, and notes what matters.

Three things make it fast. Numbers of one byte, which most are, are read in place. Where bytes end is seen at the end:
no jump leads back, so a text that claims more than there is ends in IndexError or in bytes left over. And texts are
seen to be UTF-8 many at once: between two numbers of several bytes there are only texts and bytes under 128, so all of
it is UTF-8 if and only if each text is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tidings.projection.generate_code import Code, Unsupported
from tidings.projection.generate_notes import Notes, Types, Wanted
from tidings.projection.generate_simple import SIX, write_seen, write_simple, write_string
from tidings.projection.generate_types import common_form, depth_of, is_nullable, may_be_empty, reads, recursive
from tidings.projection.heads import EVENT_HEAD
from tidings.projection.structure import MAX_DEPTH, MAX_EMPTY_ITEMS

UUIDS = ("event_id", "supersedes", "life_event_id")
TIMES = ("recorded_at", "received_at")
_MAX_LOOPS = 12
_RUN = 3
_NOTHING = Wanted()


def write_scan(code: Code, types: Types, root: int, notes: Notes) -> str:
    """Add the scan of `root`; the name of its function.

    It takes the body and returns a tuple of places, a list that is empty unless some of the bytes are in a form that a
    view's are never in, and whether the ids and times of the head have to be looked at again. Raises Unsupported for a
    schema that nests deeper than an event may.
    """
    return Scan(code, types, notes).write(root)


class Scan:
    """The functions of one scan, each written once."""

    def __init__(self, code: Code, types: Types, notes: Notes) -> None:
        self.types, self._code, self._notes = types, code, notes
        self.recursive = recursive(types)
        self.empty = frozenset(row for row in range(len(types)) if may_be_empty(types, row))
        self.counted = any(kind.kind == "array" and kind.of[0] in self.empty for kind in types)
        self._functions: dict[int, str] = {}
        self._uses = [0] * len(types)
        for kind in types:
            for inner in kind.of:
                self._uses[inner] += 1

    def write(self, root: int) -> str:
        """See `write_scan`."""
        if not self.recursive and depth_of(self.types, root) > MAX_DEPTH:
            raise Unsupported("the schema nests deeper than an event may")
        own = self._code.child()
        name = own.name("scan")
        with own.block(f"def {name}(b):"):
            own.line("p = u = 0  # where the next value is; from where no text has been seen to be UTF-8")
            own.line("w = []")
            own.line("again = False")
            if self.counted:
                own.line(f"z = [{MAX_EMPTY_ITEMS}]")
            for number in sorted(self._notes.lists):
                own.line(f"o{number} = ()")
            Walk(self, own, at_root=True).fields(root, self._notes.wanted)
            own.line("if p != len(b):")
            own.line("    raise Malformed('bytes are left over')")
            own.line("if not b[u:].isascii():")
            own.line("    b[u:].decode()")
            places = "".join(f"o{number}, " for number in range(len(self._notes)))
            own.line(f"return ({places}), w, again")
        self._code.add(own)
        return name

    def function(self, row: int) -> str:
        """The function that reads a record of this type and notes nothing."""
        if row not in self._functions:
            own = self._code.child()
            name = self._functions[row] = own.name("read_record")
            more = ", d" * bool(self.recursive) + ", z" * self.counted
            with own.block(f"def {name}(b, p, u, w{more}):"):
                if self.recursive:
                    own.line("if d < 1:")
                    own.line("    raise Malformed('the record nests too deep')")
                Walk(self, own, at_root=False).fields(row, _NOTHING)
                own.line("return p, u")
            self._code.add(own)
        return self._functions[row]

    def inline(self, row: int, wanted: Wanted) -> bool:
        """Whether a record is read where it stands: where something in it is noted, or it stands there alone."""
        alone = row not in self.recursive and self._uses[row] == 1
        return bool(wanted.below) or (alone and common_form(self.types, row) is None)


class Walk:
    """Writes the body of one function. `_level` counts the records around the next value, the function's own first."""

    def __init__(self, scan: Scan, code: Code, *, at_root: bool) -> None:
        self._scan, self._code, self._types, self._at_root = scan, code, scan.types, at_root
        self._level, self._loops = 1, 0

    def fields(self, row: int, wanted: Wanted) -> None:
        """Read the fields of a record."""
        self._some(self._types[row].names, self._types[row].of, wanted)

    def _some(self, names: Sequence[str], rows: Sequence[int], wanted: Wanted) -> None:
        at = 0
        while at < len(rows):
            run = at
            while run < len(rows) and is_nullable(self._types, rows[run]) and not self._in_head(names[run]):
                run += 1
            if run - at >= _RUN:
                self._nulls(names[at:run], rows[at:run], wanted)
                at = run
            else:
                self._field(names[at], rows[at], wanted.below.get(names[at], _NOTHING))
                at += 1
        if not rows:
            self._code.line("pass")

    def _in_head(self, name: str) -> bool:
        return self._at_root and self._level == 1 and name in EVENT_HEAD

    def _nulls(self, names: Sequence[str], rows: Sequence[int], wanted: Wanted) -> None:
        """Several fields that may be null, and often all are: seen in one comparison."""
        count = len(rows)
        with self._code.block(f"if b[p:p + {count}] == {bytes(count)!r}:"):
            for at, name in enumerate(names):
                below = wanted.below.get(name, _NOTHING)
                self._is(below.start, f"p + {at}" if at else "p")
                self._is(below.end, f"p + {at + 1}")
                self._nowhere(below)
            self._code.line(f"p += {count}")
        with self._code.block("else:"):
            self._some(names[: count // 2], rows[: count // 2], wanted)
            self._some(names[count // 2 :], rows[count // 2 :], wanted)

    def _field(self, name: str, row: int, wanted: Wanted) -> None:
        self._is(wanted.start, "p")
        if self._in_head(name) and name in UUIDS + TIMES:
            self._of_head(name, row)
        else:
            self._value(row, wanted)
        self._is(wanted.end, "p")

    def _is(self, number: int | None, place: str) -> None:
        if number is not None:
            self._code.line(f"o{number} = {place}")

    def _nowhere(self, wanted: Wanted) -> None:
        for number in wanted.below_scalars():
            self._code.line(f"o{number} = -1")

    def _value(self, row: int, wanted: Wanted) -> None:
        kind = self._types[row].kind
        if self._loops and wanted.each is not None and kind not in ("union", "array"):
            self._code.line(f"o{wanted.each}.append(p)")
        match kind:
            case "union":
                self._union(row, wanted)
            case "array":
                self._array(row, wanted)
            case "record":
                self._record(row, wanted)
            case _:
                write_simple(self._code, self._types, row) if kind != "map" else self._map(row)

    def _record(self, row: int, wanted: Wanted) -> None:
        scan = self._scan
        dynamic = bool(scan.recursive) and not self._at_root
        if not scan.inline(row, wanted):
            left = f", d - {self._level}" if dynamic else f", {MAX_DEPTH - self._level}"
            more = left * bool(scan.recursive) + ", z" * scan.counted
            call = f"p, u = {scan.function(row)}(b, p, u, w{more})"
            common = common_form(self._types, row)
            if common is None or scan.recursive:
                self._code.line(call)
                return
            self._code.line(f"m = {self._code.object('common', re.compile(common, re.DOTALL).match)}(b, p)")
            with self._code.block("if m:"):
                write_seen(self._code)
                self._code.line("p = u = m.end()")
            with self._code.block("else:"):
                self._code.line(call)
            return
        self._level += 1
        if dynamic:
            self._code.line(f"if d < {self._level}:")
            self._code.line("    raise Malformed('the record nests too deep')")
        elif self._level > MAX_DEPTH:
            raise Unsupported("the schema nests deeper than an event may")
        self.fields(row, wanted)
        self._level -= 1

    def _union(self, row: int, wanted: Wanted) -> None:
        branches = self._types[row].of
        if len(branches) > 64:
            raise Unsupported("a union of so many types")
        values = [branch for branch in branches if self._types[branch].kind != "null"]
        inner = wanted if len(values) == 1 else _NOTHING
        self._code.line("n = b[p]")
        self._code.line("p += 1")
        # The commonest branch of all is null in the first place; it needs no comparison of its own.
        order = sorted(range(len(branches)), key=lambda at: self._types[branches[at]].kind == "null")
        for first, at in enumerate(order):
            with self._code.block(f"{'el' * bool(first)}if n == {2 * at}:"):
                if self._types[branches[at]].kind == "null":
                    self._code.line("pass")
                    self._nowhere(wanted)
                else:
                    self._value(branches[at], inner)
        with self._code.block("else:"):
            self._code.line("raise Malformed('a branch is out of range')")

    def _array(self, row: int, wanted: Wanted) -> None:
        item, code = self._types[row].of[0], self._code

        def one() -> None:
            before = code.name("before")
            if item in self._scan.empty:
                code.line(f"{before} = p")
            self._value(item, wanted)
            if item in self._scan.empty:
                code.line(f"if p == {before}:")
                code.line("    spend(z)")
            if not reads(self._types, item):
                code.line("if p > len(b):")
                code.line("    raise Malformed('the record is cut short')")

        lists = [f"o{number} = []" for number in wanted.lists()] if self._loops == 0 else []
        self._blocks(one, lists)

    def _map(self, row: int) -> None:
        code = self._code
        seen, key = code.name("seen"), code.name("key")

        def one() -> None:
            code.line(f"{key} = p")
            write_string(code)
            code.line(f"{key} = text_at(b, {key})")
            code.line(f"if {key} in {seen}:")
            code.line("    raise Malformed('a map holds one key twice')")
            code.line(f"{seen}.add({key})")
            self._value(self._types[row].of[0], _NOTHING)

        self._blocks(one, [f"{seen} = set()"])

    def _blocks(self, one: Callable[[], None], before: Sequence[str]) -> None:
        """The blocks of an array or a map. Any but one block that does not say its size is written down in `w`."""
        code = self._code
        if self._loops >= _MAX_LOOPS:
            raise Unsupported("so many arrays in one another")
        count, end = code.name("count"), code.name("end")
        self._loops += 1
        code.line("n = b[p]")
        code.line("p += 1")
        with code.block("if n:"):
            for line in before:
                code.line(line)
            with code.block("if n & 129:"):
                code.line("p -= 1")
                write_seen(code)
                code.line(f"{count}, p, {end} = block(b, p, w)")
                code.line("u = p")
            with code.block("else:"):
                code.line(f"{count}, {end} = n >> 1, 0")
            with code.block("while True:"):
                with code.block(f"for _ in range({count}):"):
                    one()
                code.line(f"if {end} and p != {end}:")
                code.line("    raise Malformed('a block has not the size that it says')")
                code.line("if b[p] == 0:")
                code.line("    break")
                code.line("w.append(p)")
                write_seen(code)
                code.line(f"{count}, p, {end} = block(b, p, w)")
                code.line("u = p")
            code.line("p += 1")
        self._loops -= 1

    def _of_head(self, name: str, row: int) -> None:
        """A uuid or a time of the head: what is not in its common form is looked at again."""
        kind = self._types[row]
        if kind.kind != "union":
            self._common(name, row)
            return
        self._code.line("n = b[p]")
        self._code.line("p += 1")
        with self._code.block("if n == 2:"):
            self._common(name, kind.of[1])
        with self._code.block("elif n:"):
            self._code.line("raise Malformed('a branch is out of range')")

    def _common(self, name: str, row: int) -> None:
        with self._code.block("if b[p:p + 37].translate(form) == uuid:" if name in UUIDS else f"if {SIX}:"):
            if name in UUIDS:
                self._code.line("p += 37")
            else:
                write_seen(self._code)
                self._code.line("p = u = p + 6")
        with self._code.block("else:"):
            self._code.line("again = True")
            write_simple(self._code, self._types, row)
