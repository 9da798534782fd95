"""What a view lets its subscriber see: every field of the event type by dotted path, and how."""

from __future__ import annotations

from collections.abc import Iterable

from tidings.catalogue import fields_of
from tidings.policy.model import Inbox, View
from tidings.projection.heads import ABSENT, HEAD_DEFAULTS, KEEP

INFERRED = "inferred"
"""The subscriber does not get the field, but a filter reads it: each view that comes tells what passed."""

_ORDER = {"keep": 3, "redact": 1}
_BETWEEN = 2
Sights = dict[str, str]
"""Path to how it is seen: `keep`, `generalise(to=year)`, `derived`, `inferred`. Other paths are not seen."""


def sights_of(view: View, inbox: Inbox) -> Sights:
    """What one view shows. A record that is named as a whole is told by its leaves; a stopped view shows nothing."""
    if view.stopped:
        return {}
    leaves = [info.path for info in fields_of(inbox.reader_schema) if info.type != "record"]
    seen: Sights = {}
    for name, default in HEAD_DEFAULTS.items():
        if default != ABSENT:
            seen[name] = KEEP if default == KEEP else "derived"
    for line in view.where:
        seen.setdefault(line.path, INFERRED)
    for rule in view.fields:
        how = rule.mask
        if rule.params:
            how += "(" + ", ".join(f"{name}={value}" for name, value in sorted(rule.params.items())) + ")"
        below = [path for path in leaves if path.startswith(f"{rule.path}.")] if rule.mask == "keep" else []
        for path in below or [rule.path]:
            seen[path] = how
    return seen


def merged(parts: Iterable[Sights]) -> Sights:
    """What is seen through several views together: of two ways to see a field, the one that shows more."""
    out: Sights = {}
    for part in parts:
        for path, how in part.items():
            if path not in out or strength(how) > strength(out[path]):
                out[path] = how
    return out


def aligned(one: Sights, other: Sights) -> tuple[Sights, Sights]:
    """Both sides on the same paths: a record masked whole on one side and in parts on the other is told in parts."""
    return _in_parts(one, other), _in_parts(other, one)


def _in_parts(sights: Sights, other: Sights) -> Sights:
    out: Sights = {}
    for path, how in sights.items():
        for part in [name for name in other if name.startswith(f"{path}.")] or [path]:
            out[part] = how
    return out


def strength(how: str) -> int:
    """3 for the whole value, 1 for its presence alone, 2 for all between, which cannot be compared."""
    return _ORDER.get(how, _BETWEEN)
