"""Read one YAML file into plain data with the line of every key, refusing what a person's file has no need of.

YAML 1.2, so `NO` is Norway. Anchors, aliases, tags and several documents are refused, and so are duplicate keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

from tidings.errors import BadInput, Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
Loc = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Document:
    """A file's plain data (`dict`, `list`, text, numbers, dates) and where each part of it stands."""

    file: str
    data: Any
    lines: dict[Loc, int] = field(default_factory=dict)

    def line(self, *loc: str | int) -> int:
        """The line of a part, or of the nearest part around it that stands in the file."""
        for length in range(len(loc), 0, -1):
            if loc[:length] in self.lines:
                return self.lines[loc[:length]]
        return 1 if not loc or self.data is None else self.lines.get((), 1)

    def problem(self, loc: Loc, rule: str, message: str) -> Problem:
        """One problem at a part of this file."""
        return Problem(self.file, self.line(*loc), dotted(loc), rule, message)


def dotted(loc: Loc) -> str:
    """A part's place for people: `events.death-registered.fields[deceased.names]`, `approvals[0].hash`."""
    out = ""
    for part in loc:
        if isinstance(part, int) or "." in part:
            out += f"[{part}]"
        else:
            out += f".{part}" if out else part
    return out


def read_yaml(path: Path) -> Document:
    """Read `path`. Raises BadInput with every problem that can be told at once: unreadable file, wrong encoding, tabs,
    syntax, anchors, tags, depth, several documents, duplicate keys."""
    file = str(path)
    text = _text(path, file)
    yaml = YAML(typ="safe", pure=True)
    events: list[Event] = []
    problems = list(_tabs(text, file)) or list(_events(yaml, text, file, events))
    if problems:
        raise BadInput(problems)
    if not events:
        raise BadInput([Problem(file, 0, "", "empty-file", "the file is empty")])
    builder = _Builder(file, iter(events), yaml.resolver)
    data = builder.value(next(builder.events), ())
    if builder.problems:
        raise BadInput(builder.problems)
    return Document(file, data, builder.lines)


def _text(path: Path, file: str) -> str:
    if path.exists() and not path.is_file():  # a pipe would be waited for, and a device never ends
        raise BadInput([Problem(file, 0, "", "not-a-file", "is no regular file")])
    try:
        with path.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput([Problem(file, 0, "", "file-missing", f"cannot be read ({error.strerror})")]) from None
    if len(raw) > MAX_BYTES:
        raise BadInput([Problem(file, 0, "", "file-too-large", f"has more than {MAX_BYTES:,} bytes")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput([Problem(file, line, "", "not-utf-8", "is not UTF-8 text")]) from None


def _tabs(text: str, file: str) -> Iterator[Problem]:
    for number, line in enumerate(text.splitlines(), 1):
        if "\t" in line[: len(line) - len(line.lstrip())]:
            yield Problem(file, number, "", "yaml-tab", "is indented with a tab; use spaces")


def _events(yaml: YAML, text: str, file: str, events: list[Event]) -> Iterator[Problem]:
    """Walk the file as a stream of events, and keep those of its parts: nothing is built yet, so nothing can grow."""
    depth = documents = 0
    try:
        for event in yaml.parse(text):
            depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
            depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
            documents += isinstance(event, DocumentStartEvent)
            refused = _refusal(event, depth, documents)
            if refused:
                yield Problem(file, event.start_mark.line + 1, "", *refused)
            if depth > MAX_DEPTH or documents > 1:
                return
            if isinstance(event, NodeEvent | CollectionEndEvent):
                events.append(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(str(part) for part in (error.context, error.problem) if part)
        yield Problem(file, mark.line + 1 if mark else 0, "", "yaml-syntax", f"is not YAML: {words}")
    except YAMLError:
        yield Problem(file, 0, "", "yaml-syntax", "is not YAML: it holds a character that YAML forbids")


def _refusal(event: Event, depth: int, documents: int) -> tuple[str, str] | None:
    if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
        return "yaml-anchor", "anchors and aliases are not allowed; write it out"
    if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent) and event.tag is not None:
        return "yaml-tag", "tags (!...) are not allowed"
    if depth > MAX_DEPTH:
        return "yaml-depth", f"is nested more than {MAX_DEPTH} deep"
    if documents > 1:
        return "yaml-documents", "holds more than one document (---)"
    return None


class _Builder:
    """Makes plain data of events that hold neither anchors nor tags."""

    def __init__(self, file: str, events: Iterator[Event], resolver: Any) -> None:
        self.events = events
        self.lines: dict[Loc, int] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._resolver = resolver

    def value(self, event: Event, loc: Loc) -> Any:
        """The part that begins with `event`."""
        self.lines.setdefault(loc, event.start_mark.line + 1)
        if isinstance(event, MappingStartEvent):
            return self._mapping(loc)
        if isinstance(event, SequenceStartEvent):
            return [self.value(part, (*loc, at)) for at, part in enumerate(self._parts())]
        assert isinstance(event, ScalarEvent)  # noqa: S101 (an alias was refused)
        return _scalar(str(self._resolver.resolve(ScalarNode, event.value, event.implicit)), str(event.value))

    def _mapping(self, loc: Loc) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for event in self._parts():
            key = str(event.value) if isinstance(event, ScalarEvent) else "?"
            self._skip(event)
            here, line = (*loc, key), event.start_mark.line + 1
            if key in out:
                message = f"{key!r} is given twice; first on line {self.lines[here]}"
                self.problems.append(Problem(self._file, line, dotted(here), "duplicate-key", message))
                self._skip(next(self.events))
                continue
            self.lines[here] = line
            out[key] = self.value(next(self.events), here)
        return out

    def _parts(self) -> Iterator[Event]:
        """The first event of each part, up to the end of what surrounds them; whoever asks takes the rest of each."""
        while not isinstance(event := next(self.events), CollectionEndEvent):
            yield event

    def _skip(self, event: Event) -> None:
        if isinstance(event, CollectionStartEvent):
            for part in self._parts():
                self._skip(part)


def _scalar(tag: str, text: str) -> Any:
    kind = tag.removeprefix(_TAG)
    try:
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return int(text.replace("_", ""), 0)
        if kind == "float":
            return float(text.replace("_", ""))
        if kind == "timestamp":
            return date.fromisoformat(text)
    except ValueError:
        return text
    return text
