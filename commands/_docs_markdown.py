"""The few pieces of Markdown that the generated reference is made of."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from tidings.agreements.page import cell

GENERATED = "<!-- Written by `make docs` from the code. Do not edit: change the code, then run it again. -->"


def page(title: str, *parts: str) -> str:
    """A whole page: title, a note to editors, and its parts with a blank line between each two."""
    return "\n\n".join([GENERATED, f"# {title}", *(part.strip("\n") for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; cells are kept on one line."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell(str(each)) for each in line)} |" for line in lines)


def code(text: object) -> str:
    """Text as code, or nothing where it is empty."""
    return f"`{text}`" if str(text) else ""


def codes(texts: Iterable[object]) -> str:
    """Several as code, with commas."""
    return ", ".join(map(code, texts))


def as_json(value: Any) -> str:
    """A value as JSON with sorted keys, in code; nothing where it is empty."""
    return code(orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()) if value else ""


def docstring(thing: object) -> str:
    """The cleaned docstring of a class or function."""
    return inspect.getdoc(thing) or ""


def anchor(heading: str) -> str:
    """How a heading of one word is linked to."""
    return heading.lower()
