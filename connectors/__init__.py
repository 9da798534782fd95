"""Connectors: legacy formats in (`sources/`), systems out (`sinks/`). The tables are closed and name every one."""

from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

from connectors.sources.base import Source
from connectors.sources.gro_death_extract import GroDeathExtract
from connectors.sources.register_rsf import RegisterRsf
from tidings.errors import BadInput, Problem

SOURCES: Mapping[str, type[Source]] = MappingProxyType(
    {source.spec.name: source for source in (GroDeathExtract, RegisterRsf)}
)
SNIFFED_BYTES = 4096


def find_source(file: str, start: bytes, name: str | None = None) -> Source:
    """The connector for a file: the one called `name`, or the only one whose signature stands in the file's first
    bytes.

    Args: `start` is the first `SNIFFED_BYTES` of the file. Raises BadInput where no connector takes it.
    """
    if name is not None:
        if name not in SOURCES:
            known = ", ".join(sorted(SOURCES))
            raise BadInput(
                [Problem(file, 0, "--source", "unknown-source", f"there is no source {name!r}; known: {known}")]
            )
        return SOURCES[name]()
    by_content = [each for each in SOURCES.values() if any(sign in start for sign in each.spec.signatures)]
    suffix = PurePath(file).suffix.lower()
    found = by_content or [each for each in SOURCES.values() if suffix in each.spec.extensions]
    if len(found) != 1:
        known = ", ".join(sorted(SOURCES))
        message = f"neither content nor extension tells the format; name it with --source: {known}"
        raise BadInput([Problem(file, 0, "--source", "format-unknown", message)])
    return found[0]()


__all__ = ["SNIFFED_BYTES", "SOURCES", "find_source"]
