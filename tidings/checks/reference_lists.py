"""Reference lists as data: one file a list in `schemas/reference/`, JSON or CSV."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import orjson

from tidings import topics
from tidings.errors import BadInput, Problem

ENVIRONMENT_VARIABLE = "TIDINGS_REFERENCE"


def default_reference_dir() -> Path:
    """`schemas/reference` of this checkout, or the folder that TIDINGS_REFERENCE names."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(named) if named else Path(__file__).resolve().parents[2] / "schemas" / "reference"


class FolderLists:
    """The lists of a folder, each read once. `NAME.json` is an array of codes, an array of objects with `code`, or an
    object with `codes` that is one of these; `NAME.csv` has a header line and the code in its first column."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._read: dict[str, frozenset[str]] = {}

    def __call__(self, name: str) -> frozenset[str]:
        """See `tidings.checks.base.ReferenceLists`. Raises BadInput where there is no such list or it cannot be
        read."""
        if name not in self._read:
            self._read[name] = read_list(self._folder or default_reference_dir(), name)
        return self._read[name]


def read_list(folder: Path, name: str) -> frozenset[str]:
    """The codes of one list. Raises BadInput where it is absent, empty or malformed."""
    if topics.is_id(name):
        for suffix, parse in ((".json", _from_json), (".csv", _from_csv)):
            path = folder / f"{name}{suffix}"
            try:
                codes = parse(path.read_bytes())
            except FileNotFoundError:
                continue
            except (OSError, ValueError, LookupError, TypeError):
                raise BadInput([Problem(path.name, 0, "", "reference-list", "the list cannot be read")]) from None
            if not codes or not all(isinstance(code, str) and code for code in codes):
                raise BadInput([Problem(path.name, 0, "", "reference-list", "a list has codes, each a text")])
            return frozenset(codes)
    raise BadInput([Problem(f"schemas/reference/{name}", 0, "", "unknown-list", "there is no such reference list")])


def _from_json(content: bytes) -> list[str]:
    value = orjson.loads(content)
    codes = value["codes"] if isinstance(value, dict) else value
    if isinstance(codes, dict):
        return list(codes)
    return [code["code"] if isinstance(code, dict) else code for code in codes]


def _from_csv(content: bytes) -> list[str]:
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    next(rows)
    return [row[0] for row in rows if row]
