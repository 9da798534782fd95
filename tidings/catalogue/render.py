"""Writes an event type or a named type as a file for people: one field a line, so that a change is one line too."""

from __future__ import annotations

import json
from typing import Any


def render(schema: dict[str, Any]) -> str:
    """The text of an .avsc file. Rendering what was read from such a text gives the same text."""
    parts = []
    for key, value in schema.items():
        if key == "fields" and value:
            parts.append(f'  "fields": [\n{_lines(value, 4)}\n  ]')
        elif key == "catalogue":
            parts.append(f'  "catalogue": {{\n{_entry(value)}\n  }}')
        else:
            parts.append(f"  {_line(key)}: {_line(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _entry(entry: dict[str, Any]) -> str:
    parts = []
    for key, value in entry.items():
        if isinstance(value, list) and value:
            parts.append(f"    {_line(key)}: [\n{_lines(value, 6)}\n    ]")
        else:
            parts.append(f"    {_line(key)}: {_line(value)}")
    return ",\n".join(parts)


def _lines(values: list[Any], indent: int) -> str:
    return ",\n".join(" " * indent + _line(value) for value in values)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
