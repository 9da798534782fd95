"""Python source in the making: lines with their indentation, fresh names, and the objects that the source names.

Whatever is a value of the policy or a key is an object that the source names (`keyed_3`), and never text inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_INDENT = "    "


class Unsupported(Exception):
    """The generator does not do this: the reference executor does. The message names types, never values."""


class Code:
    """Source of several functions, with the objects that stand behind its names."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0
        self._names = 0
        self._objects: dict[str, Any] = {}

    @property
    def source(self) -> str:
        """All lines so far."""
        return "\n".join(self._lines) + "\n"

    @property
    def objects(self) -> Mapping[str, Any]:
        """What the source's names stand for when it is run."""
        return self._objects

    @property
    def depth(self) -> int:
        """How far in the next line stands."""
        return self._depth

    def line(self, text: str) -> None:
        """Add one line."""
        self._lines.append(f"{_INDENT * self._depth}{text}" if text else "")

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add `head`, and what is added inside one step further in."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def name(self, prefix: str) -> str:
        """A name that nothing has yet."""
        self._names += 1
        return f"{prefix}_{self._names}"

    def object(self, prefix: str, value: Any) -> str:
        """The name of an object, given anew."""
        name = self.name(prefix)
        self._objects[name] = value
        return name

    def mark(self) -> int:
        """Where the source is now, for `back_to`."""
        return len(self._lines)

    def back_to(self, mark: int) -> None:
        """Take back the lines since `mark`."""
        del self._lines[mark:]

    def replace(self, mark: str, text: str) -> None:
        """Put `text` wherever `mark` stands."""
        self._lines = [line.replace(mark, text) if mark in line else line for line in self._lines]

    def add(self, other: Code) -> None:
        """All lines and objects of `other` after these."""
        self._lines += ["", *other._lines] if self._lines else other._lines
        self._objects.update(other._objects)

    def child(self) -> Code:
        """A piece of its own that takes its names from this one: for a function that a function needs."""
        return _Child(self)


class _Child(Code):
    def __init__(self, parent: Code) -> None:
        super().__init__()
        self._parent = parent

    def name(self, prefix: str) -> str:
        return self._parent.name(prefix)

    def child(self) -> Code:
        return self._parent.child()
