"""Writes the event type of a register: `python -m tidings.catalogue.write_register DEFINITION EVENT_TYPE [ENTRY]`.

DEFINITION is an RSF file, or a JSON file as in `schemas/registers`. ENTRY is the catalogue entry's JSON file, needed
with RSF; a JSON definition carries its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tidings.catalogue.json_file import read_json
from tidings.catalogue.load import default_catalogue_dir
from tidings.catalogue.register import definition_from_json, definition_from_rsf, event_type_of
from tidings.catalogue.render import render


def register_event_type(definition: Path, event_type: str, entry: Path | None = None) -> str:
    """The text of `<event_type>.avsc`. Raises BadInput where the definition or the entry is not whole."""
    if definition.suffix == ".rsf":
        with definition.open(encoding="utf-8") as lines:
            parsed = definition_from_rsf(lines, definition.name)
    else:
        parsed = definition_from_json(read_json(definition).value, definition.name)
    settled = read_json(entry).value if entry else read_json(definition).value["catalogue"]
    return render(event_type_of(parsed, event_type, settled))


def main(arguments: list[str]) -> None:
    """Write the file into the default catalogue."""
    definition, event_type, *entry = arguments
    text = register_event_type(Path(definition), event_type, Path(entry[0]) if entry else None)
    (default_catalogue_dir() / f"{event_type}.avsc").write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
