"""Reads a JSON file and remembers on which line each key and element stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

from tidings.errors import BadInput, Problem

Place = tuple[str | int, ...]
_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
# No document of a catalogue comes near it, and whoever walks a document by recursion may rely on it.
MAX_DEPTH = 200


@dataclass(frozen=True)
class JsonFile:
    """A JSON document, with the line of every key and element by its place (`("fields", 3, "doc")`)."""

    path: Path
    value: Any
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> dict[Place, int]:
        """The line of each place. Looked for only when somebody asks: nobody does where a file holds to the rules."""
        return _places(self.text, self.path).lines

    def line(self, place: Place) -> int:
        """The line of `place`, or of the nearest thing around it that exists."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def problem(self, place: Place, field: str, rule: str, message: str) -> Problem:
        """A problem at `place` in this file."""
        return Problem(self.path.name, self.line(place), field, rule, message)


def read_json(path: Path) -> JsonFile:
    """Read `path` as UTF-8 JSON. Raises BadInput where it is absent, malformed, holds a key twice, or nests deeper than
    `MAX_DEPTH`."""
    try:
        text = path.read_text("utf-8")
    except OSError:
        raise BadInput([Problem(path.name, 0, "", "readable", "the file cannot be read")]) from None
    except UnicodeDecodeError:
        raise BadInput([Problem(path.name, 0, "", "utf-8", "the file is not UTF-8")]) from None
    doubled = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        made = dict(pairs)
        doubled = doubled or len(made) < len(pairs)
        return made

    try:
        value = json.loads(text, object_pairs_hook=members)
    except json.JSONDecodeError as error:
        raise BadInput([Problem(path.name, error.lineno, "", "json", error.msg)]) from None
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError:  # Python's own limit of a whole number's digits
        raise BadInput([Problem(path.name, 0, "", "json", "a number has too many digits")]) from None
    if _is_too_deep(value):
        raise _too_deep(path)
    if doubled:
        raise BadInput(_places(text, path).doubled)
    return JsonFile(path, value, text)


def _is_too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH + 1):
        inside = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for values in inside for each in values if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _places(text: str, path: Path) -> _Places:
    places = _Places(text, path.name)
    places.value(0, ())
    return places


def _too_deep(path: Path) -> BadInput:
    return BadInput([Problem(path.name, 0, "", "json", "nested too deeply")])


class _Places:
    """Walks text that is known to be JSON."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._at = 0
        self._line = 1
        self.lines: dict[Place, int] = {}
        self.doubled: list[Problem] = []

    def value(self, at: int, place: Place) -> int:
        """Note the lines of the value that starts at or after `at`, and return where it ends."""
        at = self._skip(at)
        self.lines.setdefault(place, self._line_at(at))
        if self._text[at] == "{":
            return self._members(at, place)
        if self._text[at] == "[":
            return self._elements(at, place)
        if self._text[at] == '"':
            return int(scanstring(self._text, at + 1, True)[1])
        scalar = _SCALAR.match(self._text, at)
        return scalar.end() if scalar else at + 1

    def _members(self, at: int, place: Place) -> int:
        at = self._skip(at + 1)
        while self._text[at] != "}":
            key, after = scanstring(self._text, at + 1, True)
            line = self._line_at(at)
            if (*place, key) in self.lines:
                self.doubled.append(Problem(self._file, line, str(key), "doubled-key", "this key stands here twice"))
            self.lines[(*place, key)] = line
            at = self._skip(self.value(self._skip(after) + 1, (*place, key)))
            if self._text[at] == ",":
                at = self._skip(at + 1)
        return at + 1

    def _elements(self, at: int, place: Place) -> int:
        at = self._skip(at + 1)
        index = 0
        while self._text[at] != "]":
            at = self._skip(self.value(at, (*place, index)))
            index += 1
            if self._text[at] == ",":
                at = self._skip(at + 1)
        return at + 1

    def _skip(self, at: int) -> int:
        space = _SPACE.match(self._text, at)
        return space.end() if space else at

    def _line_at(self, at: int) -> int:
        self._line += self._text.count("\n", self._at, at)
        self._at = at
        return self._line
