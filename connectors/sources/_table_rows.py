"""From a table's bytes to its rows, one at a time: what is wrong with a row is said of that row only.

What stands inside an open quote is one value and is never read as rows, or whoever may fill in one value could write
records. Source: RFC 4180 for `quoting: double`; IANA text/tab-separated-values for `none`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from connectors.sources._table_lines import MAX_ROW_BYTES, Line, lines
from connectors.sources._table_model import FileForm

_LOST = "\ufffd"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line that it begins on (from 1), its cells, or the rule that it breaks and why. No cell is in its
    repr."""

    line: int
    cells: list[str] = field(default_factory=list, repr=False)
    rule: str = ""
    why: str = ""


def rows(file: BinaryIO, form: FileForm) -> Iterator[Row]:
    """The rows of a file in file order, blank lines passed over; memory is bounded by one row.

    Raises LinesError where the file begins with another encoding's mark. OSError passes through.
    """
    found, encoding = lines(file, form.encoding)
    for line in found:
        try:
            cells = _row(line, found, form, encoding)
        except _Wrong as wrong:
            yield Row(line.number, rule=wrong.rule, why=wrong.why)
        else:
            if cells is not None:
                yield Row(line.number, cells)


class _Wrong(Exception):
    def __init__(self, rule: str, why: str) -> None:
        self.rule, self.why = rule, why
        super().__init__(rule)


def _row(line: Line, following: Iterator[Line], form: FileForm, encoding: str) -> list[str] | None:
    """The cells of the row that begins on a line; None for a blank one."""
    if form.quoting == "double" and _ends_open(line, form, encoding, inside=False):
        return _open(line, following, form, encoding)
    text = _text([line], form, encoding)
    if not text.strip(" "):
        return None
    return text.split(form.delimiter) if form.quoting == "none" else _quoted(text, form)


def _ends_open(line: Line, form: FileForm, encoding: str, *, inside: bool) -> bool:
    """Whether a line ends inside a quote, when it begins inside one or not. Where a quote stands that RFC 4180 does not
    allow, nothing is open after the line. Of a line that is too long only the number of quotes is known."""
    if line.raw is None or line.quotes == 0:
        return (line.quotes % 2 == 1) != inside
    text = line.raw.decode(encoding, "replace")
    asked: list[bool] = []

    def pieces() -> Iterator[str]:
        yield f'"{text}' if inside else text
        asked.append(True)

    try:
        next(csv.reader(pieces(), delimiter=form.delimiter, strict=True))
    except csv.Error:
        return bool(asked)  # csv asks for another line only where a quote is open
    return False


def _open(first: Line, following: Iterator[Line], form: FileForm, encoding: str) -> list[str]:
    """The row that begins on a line which leaves a quote open: all lines up to the one that closes it."""
    taken, size, is_open, count = [first], len(first.raw or b""), True, 1
    while is_open:
        line = next(following, None)
        if line is None:
            message = f"a quote opens here and is never closed; the {count - 1} lines after it are in it"
            raise _Wrong("quoting", message)
        count, size = count + 1, size + len(line.raw or b"") + 1
        is_open = _ends_open(line, form, encoding, inside=True)
        if form.line_breaks_in_values and size <= MAX_ROW_BYTES and taken[-1].raw is not None:
            taken.append(line)
    if not form.line_breaks_in_values:
        raise _Wrong("line-break", f"a quoted value goes on over {count} lines, and the mapping allows no line break")
    if size > MAX_ROW_BYTES:
        raise _too_long()
    return _quoted(_text(taken, form, encoding), form)


def _text(taken: list[Line], form: FileForm, encoding: str) -> str:
    parts = []
    for line in taken:
        if line.raw is None:
            raise _too_long()
        if not line.ended and form.last_line_ends:
            raise _Wrong("cut-off", "the last line has no line end: the file may be cut off here")
        try:
            parts.append(line.raw.decode(encoding))
        except UnicodeDecodeError:
            raise _Wrong("encoding", f"the row is not {form.encoding}") from None
    text = "\n".join(parts)
    if _LOST in text:
        raise _Wrong("encoding", f"the row is not {form.encoding}, or a character was lost before (U+FFFD)")
    return text


def _quoted(text: str, form: FileForm) -> list[str]:
    try:
        [cells] = csv.reader([text], delimiter=form.delimiter, strict=True)
    except (csv.Error, ValueError):  # ValueError: more than one row came out
        raise _Wrong("quoting", "a quote is not closed, or stands where none may") from None
    return cells


def _too_long() -> _Wrong:
    return _Wrong("row-too-long", f"a row is longer than {MAX_ROW_BYTES} bytes")
