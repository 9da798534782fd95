"""The checks: rules that an event's values must pass, one file each, in one closed table.

`validate_rules` holds an event type's rules to its schema when a catalogue is compiled; `Checker` compiles them once
and runs them on each event; `run` does both, for callers who do not keep a `Checker`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tidings.checks.base import Check, Event, Example, ReferenceLists
from tidings.checks.checker import Checker, is_of_head, validate_rules
from tidings.checks.reference_lists import FolderLists, default_reference_dir
from tidings.checks.table import CHECKS
from tidings.errors import Finding
from tidings.policy.model import CheckRule

__all__ = [
    "CHECKS",
    "Check",
    "Checker",
    "Event",
    "Example",
    "FolderLists",
    "ReferenceLists",
    "default_reference_dir",
    "is_of_head",
    "run",
    "validate_rules",
]

_KEPT = 256
_compiled: dict[int, tuple[Sequence[CheckRule], Checker]] = {}


def run(rules: Sequence[CheckRule], event: Mapping[str, Any], now_ms: int) -> tuple[Finding, ...]:
    """All findings of `rules` on one decoded event, sorted. `now_ms` is the batch's reading of the clock.

    The reference lists are this checkout's. Compiled rules are kept by the identity of `rules`. Raises Fatal where a
    rule cannot be compiled, and nothing else on an event that its schema allows.
    """
    kept = _compiled.get(id(rules))
    if kept is None or kept[0] is not rules:
        if len(_compiled) >= _KEPT:
            _compiled.clear()
        kept = _compiled[id(rules)] = (rules, Checker(rules, FolderLists()))
    return kept[1].run(event, now_ms)
