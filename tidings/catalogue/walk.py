"""Reads a dotted path out of a decoded event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def get(record: Mapping[str, Any], path: str) -> list[Any]:
    """All values at `path` (`deceased.names.family`), in order of occurrence.

    Arrays on the way and at the end fan out, and nulls are dropped, so an absent value is an empty list. A step that
    the record does not have counts as null.
    """
    found: list[Any] = [record]
    for step in path.split("."):
        found = [value for item in found if isinstance(item, Mapping) for value in _spread(item.get(step))]
    return found


def _spread(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, list):
        return [each for item in value for each in _spread(item)]
    return [value]
