"""Connectors: legacy formats in (`sources/`), systems out (`sinks/`). The tables are closed and name every one."""

from collections.abc import Mapping
from pathlib import Path, PurePath
from types import MappingProxyType

from connectors.open_file import open_source_file
from connectors.sources._table_mapping import load_mapping
from connectors.sources.base import Source
from connectors.sources.delimited_table import DelimitedTable
from connectors.sources.gro_death_extract import GroDeathExtract
from connectors.sources.nhs_events import NhsEvents
from connectors.sources.register_rsf import RegisterRsf
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.errors import BadInput, BadUsage, Problem

SOURCES: Mapping[str, type[Source]] = MappingProxyType(
    {source.spec.name: source for source in (DelimitedTable, GroDeathExtract, NhsEvents, RegisterRsf)}
)
SNIFFED_BYTES = 4096

_ARCHIVES: Mapping[bytes, str] = MappingProxyType(
    {
        b"PK\x03\x04": "a zip archive (or a spreadsheet file)",
        b"PK\x05\x06": "an empty zip archive",
        b"\x1f\x8b": "gzip",
        b"BZh": "bzip2",
        b"\xfd7zXZ\x00": "xz",
        b"\x28\xb5\x2f\xfd": "zstd",
        b"7z\xbc\xaf\x27\x1c": "a 7z archive",
        b"Rar!\x1a\x07": "a rar archive",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old office document",
    }
)
"""Bytes that a compressed or packed file begins with. None is taken: what comes out has no bound that its size tells.
Source: each format's specification, as in file(1)'s magic."""


def find_source(file: str, start: bytes, name: str | None = None, mapping: Path | None = None) -> Source:
    """The connector for a file: the one called `name`, or the only one whose signature stands in the file's first
    bytes, or the delimited table that `mapping` describes.

    Args: `start` is the first `SNIFFED_BYTES` of the file. Raises BadInput where no connector takes it, and with every
    problem of the mapping file.
    """
    refuse_archive(file, start)
    if name is not None and name not in SOURCES:
        known = ", ".join(sorted(SOURCES))
        raise BadUsage("--source", "unknown-source", f"there is no source {name!r}; known: {known}")
    source = SOURCES[name] if name is not None else DelimitedTable if mapping is not None else _by_content(file, start)
    if source is DelimitedTable:
        if mapping is None:
            message = "a delimited table needs --mapping FILE, which says what its columns mean"
            raise BadInput([Problem(file, 0, "--mapping", "mapping-missing", message)])
        return DelimitedTable(load_mapping(mapping, load_catalogue(default_catalogue_dir())))
    if mapping is not None:
        message = f"the source {source.spec.name} has its own mapping; take --mapping away"
        raise BadInput([Problem(file, 0, "--mapping", "mapping-unused", message)])
    return source()


def refuse_archive(file: str, start: bytes) -> None:
    """Raises BadInput where a file is packed or compressed."""
    for magic, what in _ARCHIVES.items():
        if start.startswith(magic) or start[257:262] == b"ustar":
            packed = what if start.startswith(magic) else "a tar archive"
            message = f"is {packed}: archives and compressed files are not taken; unpack it first"
            raise BadInput([Problem(file, 0, "(file)", "archive-not-taken", message)])


def _by_content(file: str, start: bytes) -> type[Source]:
    if not start:
        raise BadInput([Problem(file, 0, "(file)", "empty-file", "the file is empty")])
    by_content = [each for each in SOURCES.values() if any(sign in start for sign in each.spec.signatures)]
    suffix = PurePath(file).suffix.lower()
    found = by_content or [each for each in SOURCES.values() if suffix in each.spec.extensions]
    if len(found) != 1:
        known = ", ".join(sorted(SOURCES))
        message = f"neither content nor extension tells the format; name it with --source: {known}"
        raise BadInput([Problem(file, 0, "--source", "format-unknown", message)])
    return found[0]


__all__ = ["SNIFFED_BYTES", "SOURCES", "find_source", "open_source_file", "refuse_archive"]
