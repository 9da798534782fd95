"""Writes `schemas/reference/countries.csv`: `python -m tidings.catalogue.write_countries country.rsf`.

Codes with the days on which each country began and ended for the register, and nothing else of it.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from tidings.catalogue.load import default_catalogue_dir
from tidings.errors import BadInput, Problem

COLUMNS = ("code", "start_date", "end_date")


def countries_of(lines: Iterable[str], file: str) -> str:
    """The CSV of the latest entry of each key of an RSF file, by code. Raises BadInput where an entry has no item."""
    items: dict[str, str] = {}
    latest: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        parts = line.rstrip("\r\n").split("\t")
        if parts[0] == "add-item":
            items[f"sha-256:{sha256(parts[1].encode()).hexdigest()}"] = parts[1]
        elif parts[0] == "append-entry" and parts[1] == "user":
            if parts[4] not in items:
                raise BadInput([Problem(file, number, "item", "item", "the entry names an item that is not above it")])
            latest[parts[2]] = parts[4]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for code, hashed in sorted(latest.items()):
        item = json.loads(items[hashed])
        writer.writerow((code, item.get("start-date", ""), item.get("end-date", "")))
    return out.getvalue()


def main(arguments: list[str]) -> None:
    """Write the file beside the default catalogue."""
    source = Path(arguments[0])
    with source.open(encoding="utf-8") as lines:
        text = countries_of(lines, source.name)
    (default_catalogue_dir().parent / "reference" / "countries.csv").write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
