"""Source that proves, on an event's bytes, that no check of its type finds anything; most events can be proven.

It proves or it does not: what is not proven goes to the checks themselves, on the decoded event. So nothing here says
what is wrong with an event, and a check that is not known here only costs time.
"""

from __future__ import annotations

import re

from tidings.checks.checker import ANNULLED
from tidings.checks.not_spreadsheet_date import FIRST_DAY, LAST_DAY
from tidings.checks.pattern import MAX_CHARACTERS
from tidings.partial_dates import ZONE_SLACK_MS
from tidings.projection.generate_code import Code, Unsupported
from tidings.projection.generate_dates import KEY_BYTES, day_ms, reader_of
from tidings.projection.generate_identifiers import identifier_test
from tidings.projection.generate_notes import Found, Notes, Types
from tidings.projection.generate_runtime import text_at
from tidings.projection.generate_same import same_test
from tidings.projection.generate_where import Test, among_of, encoded_values, present, write_test
from tidings.projection.program import CheckProgram, InboxProgram


def write_proof(code: Code, program: InboxProgram, notes: Notes) -> tuple[str, list[CheckProgram]]:
    """Add the proof; the name of its function, and the checks that it never proves.

    The function takes a body, its places and the batch's reading of the clock and says whether surely nothing is found.
    """
    return _Proof(code, program, notes).write()


class _Proof:
    def __init__(self, code: Code, program: InboxProgram, notes: Notes) -> None:
        self._code, self._program, self._notes = code.child(), program, notes
        self._parent = code
        self._types: Types = program.types
        self._dates: dict[str, str] = {}

    def write(self) -> tuple[str, list[CheckProgram]]:
        """See `write_proof`."""
        code = self._code
        unproven: list[CheckProgram] = []
        name = code.name("proves")
        of_head = [check for check in self._program.checks if check.of_head]
        of_body = [check for check in self._program.checks if not check.of_head]
        with code.block(f"def {name}(b, o, now_ms):"):
            code.line(f"late_ms = now_ms + {ZONE_SLACK_MS}")
            unproven += [check for check in of_head if not self._tried(check)]
            change = self._types[self._notes.values("change").element].names
            if of_body and ANNULLED in change:
                code.line(f"if b[o[{self._notes.start('change')}]] == {2 * change.index(ANNULLED)}:")
                code.line("    return True  # of an annulment only the head is judged")
            unproven += [check for check in of_body if not self._tried(check)]
            code.line("return True")
        self._parent.add(code)
        return name, unproven

    def _tried(self, check: CheckProgram) -> bool:
        """Add the proof of one check, or that there is none."""
        write = getattr(self, f"_{check.check}", None)
        before, dates = self._code.mark(), dict(self._dates)
        self._code.line(f"# {check.check}: {', '.join(check.paths)}")
        try:
            (write or _unknown)(check)
        except Unsupported:
            self._code.back_to(before)
            self._dates = dates
            self._code.line("return False")
            return False
        return True

    def _fails(self, condition: str) -> None:
        self._code.line(f"if {condition}:")
        self._code.line("    return False")

    def _each(self, check: CheckProgram, path: str, test: Test) -> None:
        """Every value at `path` passes the test."""
        found = self._notes.values(path)
        named = self._code.object(check.check, test)
        if found.many:
            places = f"o[{self._notes.each(path)}]"
            self._fails(f"{places} and not all({named}(b, q) for q in {places})")
        else:
            value = f"{named}(b, q{' + 1' * found.offset})"
            self._fails(f"{present(self._notes, path, found)} and not {value}")

    def _same_subject(self, check: CheckProgram) -> None:
        first, then = (self._notes.values(path) for path in check.paths)
        test = self._code.object("same", same_test(self._types, first.element, then.element))
        self._fails(f"not {test}(b, {self._places(check.paths[0])}, {self._places(check.paths[1])})")

    def _places(self, path: str) -> str:
        """The expression for where the values at `path` begin."""
        found = self._notes.values(path)
        if found.many:
            return f"o[{self._notes.each(path)}]"
        return f"((q{' + 1' * found.offset},) if {present(self._notes, path, found)} else ())"

    def _identifier_checksum(self, check: CheckProgram) -> None:
        for path in check.paths:
            row = self._notes.values(path).element
            self._each(check, path, identifier_test(self._types, row, check.params.get("scheme")))

    def _code_in_list(self, check: CheckProgram) -> None:
        for path in check.paths:
            kind = self._types[self._notes.values(path).element]
            if kind.kind not in ("string", "enum"):
                raise Unsupported("codes are texts")
            self._among(check, path)

    def _among(self, check: CheckProgram, path: str) -> None:
        """The value at `path` is one of the codes: in place, where its bytes end at a known place."""
        found = self._notes.values(path)
        kind = self._types[found.element]
        encoded = encoded_values(kind, check.codes)
        if found.many:
            self._each(check, path, among_of(kind, encoded))
            return
        named = self._code.object(check.check, encoded)
        value = f"b[q{' + 1' * found.offset}:o[{self._notes.end(path)}]]"
        self._fails(f"{present(self._notes, path, found)} and {value} not in {named}")

    def _pattern(self, check: CheckProgram) -> None:
        matches = re.compile(str(check.params["pattern"]), re.ASCII).fullmatch
        for path in check.paths:
            if self._types[self._notes.values(path).element].kind != "string":
                raise Unsupported("a pattern is for texts")

            def test(body: bytes, at: int) -> bool:
                value = text_at(body, at)
                return len(value) <= MAX_CHARACTERS and matches(value.decode()) is not None

            self._each(check, path, test)

    def _required_if(self, check: CheckProgram) -> None:
        change = self._types[self._notes.values("change").element].names
        unless = check.params.get("unless_change", ())
        free = bytes(sorted(2 * change.index(each) for each in unless if each in change))
        when = check.params.get("when")
        may = [f"b[o[{self._notes.start('change')}]] not in {free!r}"] if free else []
        if when is not None:
            found = self._notes.values(when["path"])
            kind = self._types[found.element]
            test: Test = _always
            if when.get("values"):
                test = among_of(kind, encoded_values(kind, when["values"]))
            may.append(self._any(when["path"], test))
        for path in check.paths:
            said: Test = _always
            if self._types[self._notes.values(path).element].kind == "string":
                said = lambda body, at: bool(text_at(body, at).decode().strip())  # noqa: E731 - one of two
            self._fails(" and ".join([*may, f"not {self._any(path, said)}"]))

    def _any(self, path: str, test: Test) -> str:
        found = self._notes.values(path)
        if test is _always and not found.many:
            return f"({present(self._notes, path, found)})"
        return write_test(self._notes, path, self._code.object("said", test), missing="exclude")

    def _interval(self, path: str) -> tuple[str, bool]:
        """The variable that holds what the date at `path` can mean, or None; for a path through arrays, a list."""
        found = self._notes.values(path)
        if path not in self._dates:
            read = self._code.object("meaning", reader_of(self._types, found.element))
            name = self._code.name("date")
            if found.many:
                places = f"o[{self._notes.each(path)}]"
                self._code.line(f"{name} = {places} and [{read}(b, q) for q in {places}]")
                self._fails(f"None in {name}")
            else:
                here = present(self._notes, path, found)
                self._code.line(f"{name} = NO_DATE")
                with self._code.block(f"if {here}:"):
                    self._read(name, read, found)
            self._dates[path] = name
        return self._dates[path], found.many

    def _read(self, name: str, read: str, found: Found) -> None:
        """Lines that read the date at `q`: a number in place, a date that was met before by its bytes."""
        at = f"q{' + 1' * found.offset}"
        kind = self._types[found.element].kind
        if kind == "long":
            self._code.line(f"q = long_at(b, {at})")
            self._code.line(f"{name} = q, q, True")
            return
        known = f"known_date(b[{at}:{at} + {KEY_BYTES}]) or " * (kind == "record")
        self._code.line(f"{name} = {known}{read}(b, {at})")
        self._fails(f"{name} is None")

    def _date_exists(self, check: CheckProgram) -> None:
        for path in check.paths:
            if self._types[self._notes.values(path).element].kind in ("int", "long"):
                raise Unsupported("a number is no date")
            self._interval(path)

    def _date_not_in_future(self, check: CheckProgram) -> None:
        for path in check.paths:
            name, many = self._interval(path)
            late = (
                f"{name} and any(each[0] > late_ms for each in {name})" if many else f"{name} and {name}[0] > late_ms"
            )
            self._fails(late)

    def _not_spreadsheet_date(self, check: CheckProgram) -> None:
        first, last = day_ms(FIRST_DAY) - ZONE_SLACK_MS, day_ms(LAST_DAY) + 2 * ZONE_SLACK_MS
        for path in check.paths:
            name, many = self._interval(path)
            if many:
                self._fails(f"{name} and any(each[0] <= {last} and each[1] >= {first} for each in {name})")
            else:
                self._fails(f"{name} and {name}[0] <= {last} and {name}[1] >= {first}")

    def _date_order(self, check: CheckProgram) -> None:
        (first, firsts), (then, thens) = (self._interval(path) for path in check.paths)
        if not firsts and not thens:
            slack = f"(0 if {first}[2] == {then}[2] else {ZONE_SLACK_MS})"
            # The slack is only looked at where it matters: most dates are far apart.
            self._fails(f"{first} and {then} and {first}[0] > {then}[1] and {first}[0] - {slack} > {then}[1]")
            return
        left = first if firsts else f"({first},)"
        right = then if thens else f"({then},)"
        # Within one element is fewer pairs than every first against every then.
        self._fails(f"not in_order({left}, {right})")


def _unknown(check: CheckProgram) -> None:
    raise Unsupported(f"the check {check.check}")


def _always(body: bytes, at: int) -> bool:
    del body, at
    return True
