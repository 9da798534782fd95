"""One file of an agency, opened and told from every other: its connector, its content's hash, and when it came in."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connectors import SNIFFED_BYTES, find_source, open_source_file
from connectors.sources.base import Outcome, Source, SourceContext
from tidings.closing import Closing
from tidings.errors import BadInput, Problem

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Told:
    """What the command line says of a file: the connector's name and the mapping file, where given."""

    source: str | None
    mapping: Path | None


class PublishedFile(Closing):
    """Raises BadInput where `path` is no regular file, or no connector takes it.

    `content` is the hash of everything that decides what the events are, but for when the file came in: its bytes, the
    connector and its version, the mapping.
    """

    def __init__(self, path: Path, told: Told) -> None:
        self.name = path.name
        self._file: BinaryIO = open_source_file(path)
        try:
            before = os.fstat(self._file.fileno())
            self.size_bytes, self.changed_ms = before.st_size, before.st_mtime_ns // 1_000_000
            self._stamp = (before.st_size, before.st_mtime_ns)
            self.connector: Source = find_source(path.name, self._file.read(SNIFFED_BYTES), told.source, told.mapping)
            self.content = self._hash(told.mapping)
        except BaseException:
            self._file.close()
            raise

    def outcomes(self, agency: str, environment: str, received_at_ms: int) -> Iterator[Outcome]:
        """What the connector says of the file, from its start. Raises BadInput at its end where the file was changed
        meanwhile."""
        self._file.seek(0)
        yield from self.connector.read(self._file, SourceContext(self.name, agency, environment, received_at_ms))
        after = os.fstat(self._file.fileno())
        if (after.st_size, after.st_mtime_ns) != self._stamp:
            message = "was changed while it was read; publish it again, as a file of its own"
            raise BadInput([Problem(self.name, 0, "(file)", "file-changed", message)])

    def read_bytes(self) -> int:
        """How far it was read."""
        return self._file.tell()

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def _hash(self, mapping: Path | None) -> str:
        spec = self.connector.spec
        parts = [f"{spec.name}/{spec.version}".encode(), b"" if mapping is None else mapping.read_bytes()]
        whole = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts))
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK_BYTES):
            whole.update(chunk)
        return whole.hexdigest()
