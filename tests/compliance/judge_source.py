"""Holds what a source connector says of any bytes against what every connector promises."""

from __future__ import annotations

import io
from bisect import bisect_left
from functools import cache

from connectors.sources._values import unsafe_fields
from connectors.sources.base import Outcome, RefusedRecord, SourceRecord
from producers.encode import Encoder
from tests.compliance.sources import AGENCIES, MARK, connector, context
from tidings.catalogue import default_catalogue_dir, load_catalogue

_TERMINATOR_BYTES = 2
"""A record of text ends with its line, of which a truncated file may lack the end."""


@cache
def encoders() -> dict[str, Encoder]:
    """What writes events of each type, as its owner."""
    types = load_catalogue(default_catalogue_dir()).event_types
    return {name: Encoder(each.owner, name, 1, each.schema) for name, each in types.items()}


def judge(name: str, content: bytes) -> list[Outcome]:
    """What the connector says of the file. Raises AssertionError where it breaks a promise: every record once and in
    order, clear refusals without a value, events that fit their type and are safe."""
    outcomes = _read(name, content)
    counted = [each.number for each in outcomes if each.number]

    assert counted == list(range(1, len(counted) + 1)), "every record is said once, in order"
    for each in outcomes:
        assert MARK not in repr(each)
        if isinstance(each, RefusedRecord):
            assert each.problem.file == "sample"
            assert each.problem.field
            assert each.problem.rule
        elif isinstance(each, SourceRecord):
            assert each.event["source"]["agency"] == AGENCIES[name]
            assert list(unsafe_fields(each.event)) == []
            encoders()[each.event_type].encode(each.event)
    return outcomes


class Kept:
    """A good file, and after how many bytes each of its events is there: what comes later cannot take it away."""

    def __init__(self, name: str, content: bytes) -> None:
        self._name, self._content = name, content
        self._events = _events(_read(name, content))
        self._ends = [
            bisect_left(range(len(content)), count, key=lambda cut: len(_events(_read(name, content[:cut]))))
            + _TERMINATOR_BYTES
            for count in range(1, len(self._events) + 1)
        ]

    def judge(self, damaged: bytes, outcomes: list[Outcome]) -> None:
        """Raises AssertionError where an event that stands before the damage is not among the outcomes."""
        pairs = zip(self._content, damaged, strict=False)
        same = next((at for at, (was, now) in enumerate(pairs) if was != now), min(len(self._content), len(damaged)))
        whole = self._events[: sum(end <= same for end in self._ends)]
        assert _events(outcomes)[: len(whole)] == whole, "an event before the damage was lost"


def _read(name: str, content: bytes) -> list[Outcome]:
    return list(connector(name).read(io.BytesIO(content), context(name)))


def _events(outcomes: list[Outcome]) -> list[dict[str, object]]:
    return [each.event for each in outcomes if isinstance(each, SourceRecord)]
