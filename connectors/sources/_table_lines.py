"""From bytes to lines, in constant memory: of a line that is too long nothing is kept but what rows need to know."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

MAX_ROW_BYTES = 128 * 1024
"""A longer row is refused. csv's own bound on one value is as large."""
_CHUNK_BYTES = 32 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end, which counts from 1. `raw` is None where it is too long; `quotes` is how many quote
    marks it has, and `ended` whether a line end stood there."""

    number: int
    raw: bytes | None = field(repr=False)
    quotes: int
    ended: bool


class LinesError(Exception):
    """The file does not begin as its declared encoding does; `why` says what it begins with."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__("encoding")


class _Reader(Protocol):
    def readline(self, size: int, /) -> bytes: ...


def lines(file: BinaryIO, encoding: str) -> tuple[Iterator[Line], str]:
    """The lines of a file, and the encoding of each `raw`: UTF-16 becomes UTF-8 on the way, with U+FFFD where it is
    wrong. Takes a byte order mark away. Raises LinesError where the mark is another encoding's."""
    start = file.read(2)
    start += file.read(1) if start == codecs.BOM_UTF8[:2] else b""
    mark, marked = next(((mark, name) for mark, name in _MARKS if start == mark), (b"", ""))
    if mark and encoding != marked and not (encoding == "utf-16" and marked.startswith("utf-16")):
        raise LinesError(f"the file begins with the mark of {marked}; the mapping says {encoding}")
    if encoding == "utf-16" and not mark:
        raise LinesError("the file has no byte order mark; the mapping should say utf-16-le or utf-16-be")
    rest = start.removeprefix(mark)
    if encoding.startswith("utf-16"):
        return _split(_Utf16(file, rest, marked or encoding)), "utf-8"
    return _split(_Again(file, rest)), encoding


def _split(reader: _Reader) -> Iterator[Line]:
    number = 0
    while raw := reader.readline(MAX_ROW_BYTES + 1):
        number += 1
        quotes, too_long, ended = raw.count(b'"'), False, raw.endswith(b"\n")
        while not ended and (more := reader.readline(MAX_ROW_BYTES + 1)):
            quotes, too_long, ended = quotes + more.count(b'"'), True, more.endswith(b"\n")
        if len(raw) > MAX_ROW_BYTES:
            too_long = True
        yield Line(number, None if too_long else raw.removesuffix(b"\n").removesuffix(b"\r"), quotes, ended)


class _Again:
    """A file whose first bytes, already read, are read again."""

    def __init__(self, file: BinaryIO, rest: bytes) -> None:
        self._file = file
        self._rest = rest

    def readline(self, size: int, /) -> bytes:
        """About `size` bytes at most, up to a line feed."""
        rest, self._rest = self._rest, b""
        at = rest.find(b"\n") + 1
        if at:
            self._rest = rest[at:]
            return rest[:at]
        return rest + self._file.readline(size)


class _Utf16:
    """UTF-16 read as UTF-8."""

    def __init__(self, file: BinaryIO, rest: bytes, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._ready = self._decoder.decode(rest).encode()
        self._over = False

    def readline(self, size: int, /) -> bytes:
        """At most `size` bytes, up to a line feed."""
        at = self._ready.find(b"\n", 0, size) + 1
        while not at and len(self._ready) < size and not self._over:
            before = len(self._ready)
            chunk = self._file.read(_CHUNK_BYTES)
            self._over = not chunk
            self._ready += self._decoder.decode(chunk, not chunk).encode()
            at = self._ready.find(b"\n", before, size) + 1
        cut = at or size
        line, self._ready = self._ready[:cut], self._ready[cut:]
        return line
