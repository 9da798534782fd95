"""Files that mean harm, for each connector: made from its own sample, so that a new connector meets them too."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from itertools import chain, repeat

from connectors import SOURCES
from tests.compliance import nhs_messages as nhs
from tests.compliance.sources import COLUMNS, MARK, REGISTER, SAMPLES, entry, item, registration, row

XML = sorted(name for name, source in SOURCES.items() if ".xml" in source.spec.extensions)
LAUGHS = (
    "<!DOCTYPE l [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {now} '{f'&{before};' * 10}'>" for before, now in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)
_DECLARATION = re.compile(rb"\A\s*<\?xml[^>]*\?>")


def with_prolog(name: str, prolog: str) -> bytes:
    """The sample of an XML connector with another prolog, a declaration or a document type."""
    body = _DECLARATION.sub(b"", SAMPLES[name])
    return prolog.encode() + body


def with_text(name: str, text: bytes) -> bytes:
    """The sample with a value of its second half replaced."""
    sample, mark = SAMPLES[name], MARK.encode()
    at = sample.rindex(mark)
    return sample[:at] + text + sample[at + len(mark) :]


class Streamed(io.RawIOBase):
    """A file that was never written: chunks made as they are read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """The next bytes."""
        if not self._left:
            self._left = next(self._chunks, b"")
        part, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def streamed(*chunks: Iterator[bytes]) -> io.BufferedReader:
    """A file of these chunks, one after another."""
    return io.BufferedReader(Streamed(chain(*chunks)))


def endless_value(name: str, size: int) -> io.BufferedReader:
    """The sample, in which one value (an attribute's, where the format has them) goes on for `size` bytes."""
    sample, mark = SAMPLES[name], MARK.encode()
    at = sample.rindex(mark)
    block = b"A" * 65_536
    return streamed(iter([sample[:at]]), repeat(block, size // len(block)), iter([sample[at:]]))


def endless_records(name: str, size: int, padding: int = 0) -> io.BufferedReader:
    """About `size` bytes of good records, of which one value is longer by `padding` bytes."""
    first, each, last = parts(name, padding)
    block = each * (65_536 // len(each) + 1)
    return streamed(iter([first]), repeat(block, size // len(block)), iter([last]))


def endless_attribute(name: str, size: int) -> io.BufferedReader:
    """An XML file whose root has an attribute of `size` bytes."""
    sample = _DECLARATION.sub(b"", SAMPLES[name])
    start = re.match(rb"\s*<[A-Za-z:]+", sample)
    assert start is not None
    block = b"A" * 65_536
    return streamed(
        iter([sample[: start.end()] + b' x="']),
        repeat(block, size // len(block)),
        iter([b'"' + sample[start.end() :]]),
    )


def endless_parts(name: str, size: int, part: bytes) -> io.BufferedReader:
    """An XML file whose first record has `size` bytes of parts after its first tag: `part`, with a number for `#`."""
    first = _DECLARATION.sub(b"", SAMPLES[name])
    at = re.search(rb"<(DeathRegistration|entry)>", first)
    assert at is not None
    place = at.end() - (0 if part.startswith(b"<") else 1)
    numbered = (part.replace(b"#", b"%d" % number) for number in range(size // (len(part) + 4)))
    return streamed(iter([first[:place]]), numbered, iter([first[place:]]))


def parts(name: str, padding: int = 0) -> tuple[bytes, bytes, bytes]:
    """What a file begins with, one record that may stand any number of times, and what it ends with."""
    long = "A" * padding
    if name == "delimited-table":
        return COLUMNS.encode(), row(1, note=long).encode(), b""
    if name == "register-rsf":
        text = f'{{"country":"AA","name":"{MARK}{long}"}}'
        return REGISTER.encode(), (item(text) + entry("AA", text)).encode(), b""
    if name == "nhs-events":
        first, between, last = nhs.collection("@", "@").split(b"@")
        message = nhs.death().replace(nhs.NAME, nhs.NAME + long, 1).encode()
        return first + message, between + message, last
    record = registration(1, f"<DeceasedMaidenName>{MARK}{long}</DeceasedMaidenName>").encode()
    return b"<DeathRegistrationGroup>", record, b"<RecordCount>1</RecordCount></DeathRegistrationGroup>"


def in_utf16(content: bytes) -> bytes:
    """The same text in UTF-16 with its mark, in a file that does not say so."""
    return codecs.BOM_UTF16_LE + content.decode().encode("utf-16-le")
