"""The privacy diff between two policies: which fields which agency would newly see, or no longer.

What this code cannot compare counts as both wider and narrower: a change that is not understood is not waved through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tidings.catalogue.evolution import BreakingChange, breaking_changes
from tidings.hold import hold_words
from tidings.policy.model import Condition, Policy, Protection, View
from tidings.policy.sight import Sights, aligned, merged, sights_of, strength


class Direction(StrEnum):
    """What a change does to a feed. Narrowing stops the old feed at once; only widening may run side by side."""

    NEW = "new"
    ENDED = "ended"
    WIDER = "wider"
    NARROWER = "narrower"
    BOTH = "both"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class SightChange:
    """One field seen in another way; None means not seen."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class FeedChange:
    """What would change for one subscriber under one agreement for one event type, over all its versions.

    `terms` are changes beside the fields (filters, protection, dates, keys), in words.
    """

    subscriber: str
    agreement: str
    event_type: str
    direction: Direction
    newly_seen: tuple[SightChange, ...]
    no_longer: tuple[SightChange, ...]
    otherwise_seen: tuple[SightChange, ...]
    terms: tuple[str, ...]


_Feed = tuple[str, str, str]


def privacy_diff(old: Policy | None, new: Policy) -> tuple[FeedChange, ...]:
    """Every feed that would change, by subscriber, agreement and event type. None as `old`: nothing is in force."""
    before, after = _feeds(old), _feeds(new)
    changes = (_change(feed, before.get(feed), after.get(feed)) for feed in sorted({*before, *after}))
    return tuple(change for change in changes if change.direction is not Direction.SAME)


def breaking_views(old: Policy | None, new: Policy) -> dict[str, list[BreakingChange]]:
    """Feeds whose readers of today could not read what would come: each needs a new version of its agreement."""
    before = {view.feed: view.view_schema for view in old.views} if old else {}
    pairs = {
        view.feed: (before[view.feed], view.view_schema)
        for view in new.views
        if view.feed in before and before[view.feed] != view.view_schema
    }
    found = {feed: breaking_changes(pair) for feed, pair in pairs.items()}
    return {feed: changes for feed, changes in found.items() if changes}


def holds_begun_or_ended(old: Policy | None, new: Policy) -> list[str]:
    """Feeds that go on, and whose views would from now on be held, or no longer: two writers would number them."""
    before = {view.feed: view for view in old.views} if old else {}
    return [view.feed for view in new.views if view.feed in before and view.written_to != before[view.feed].written_to]


@dataclass(frozen=True, slots=True)
class _Side:
    newest: View
    sights: Sights
    joined: frozenset[str]
    """The other agreements whose feeds its own can be joined with: those of its linkage group."""


def _feeds(policy: Policy | None) -> dict[_Feed, _Side]:
    if policy is None:
        return {}
    inboxes = {inbox.topic: inbox for inbox in policy.inboxes}
    views: dict[_Feed, list[View]] = {}
    for view in policy.views:
        if not view.stopped:
            views.setdefault((view.subscriber, view.agreement, view.event_type), []).append(view)
    members: dict[str, set[str]] = {}
    for view in policy.views:
        members.setdefault(view.key_group, set()).add(view.agreement)
    return {
        feed: _Side(
            newest := max(some, key=lambda view: view.agreement_version),
            merged(sights_of(view, inboxes[view.inbox]) for view in some),
            frozenset(members[newest.key_group]) - {newest.agreement},
        )
        for feed, some in views.items()
    }


def _change(feed: _Feed, old: _Side | None, new: _Side | None) -> FeedChange:
    before, after = aligned(old.sights if old else {}, new.sights if new else {})
    paths = sorted({*before, *after})
    changed = [
        SightChange(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
    ]
    terms = tuple(_terms(old.newest, new.newest)) if old and new else ()
    terms += tuple(_joins(old.joined if old else frozenset(), new.joined if new else frozenset()))
    directions = {_sight_direction(change) for change in changed} | {direction for _, direction in terms}
    if old is None or new is None:
        direction = Direction.NEW if old is None else Direction.ENDED
    elif not directions:
        direction = Direction.SAME
    else:
        direction = directions.pop() if len(directions) == 1 else Direction.BOTH
    return FeedChange(
        *feed,
        direction=direction,
        newly_seen=tuple(change for change in changed if change.before is None),
        no_longer=tuple(change for change in changed if change.after is None),
        otherwise_seen=tuple(change for change in changed if change.before and change.after),
        terms=tuple(words for words, _ in terms),
    )


def _sight_direction(change: SightChange) -> Direction:
    before = strength(change.before) if change.before else 0
    after = strength(change.after) if change.after else 0
    if before == after:
        return Direction.BOTH
    return Direction.WIDER if after > before else Direction.NARROWER


def _joins(old: frozenset[str], new: frozenset[str]) -> Iterator[tuple[str, Direction]]:
    if new - old:
        yield f"can now be joined with the feeds of {', '.join(sorted(new - old))}", Direction.WIDER
    if old - new:
        yield f"can no longer be joined with the feeds of {', '.join(sorted(old - new))}", Direction.NARROWER


def _terms(old: View, new: View) -> Iterator[tuple[str, Direction]]:
    levels = list(Protection)
    yield from _ordered(
        "protected people", old.protected, new.protected, levels.index(new.protected) - levels.index(old.protected)
    )
    yield from _ordered("valid from", old.valid_from, new.valid_from, (old.valid_from - new.valid_from).days)
    yield from _ordered("valid until", old.valid_until, new.valid_until, (new.valid_until - old.valid_until).days)
    yield from _ordered("after the end", old.after_end, new.after_end, 1 if new.after_end == "corrections" else -1)
    yield from _ordered("flags", old.include_flags, new.include_flags, 1 if new.include_flags else -1)
    yield from _ordered("held back", _hold(old), _hold(new), (old.hold_seconds or 0) - (new.hold_seconds or 0))
    if old.key_group != new.key_group:
        yield f"pseudonyms of {old.key_group} become those of {new.key_group}", Direction.BOTH
    if old.interest != new.interest:
        yield _interest_words(old.interest, new.interest), _interest_direction(old.interest, new.interest)
    if set(old.where) != set(new.where):
        yield f"filter: {_words(old.where)} becomes {_words(new.where)}", _where_direction(old.where, new.where)


def _hold(view: View) -> str:
    return "no" if view.hold_seconds is None else hold_words(view.hold_seconds)


def _ordered(what: str, old: object, new: object, sign: int) -> Iterator[tuple[str, Direction]]:
    if old != new:
        yield f"{what}: {old} becomes {new}", Direction.WIDER if sign > 0 else Direction.NARROWER


def _interest_words(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> str:
    if old is None or new is None:
        return "an interest list comes" if old is None else "the interest list goes: it is about everybody"
    come, go = len({*new} - {*old}), len({*old} - {*new})
    return f"the interest list changes: {come} subjects come, {go} go, {len(new)} are on it"


def _interest_direction(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> Direction:
    if old is None or (new is not None and set(new) < set(old)):
        return Direction.NARROWER
    return Direction.WIDER if new is None or set(old) < set(new) else Direction.BOTH


def _where_direction(old: tuple[Condition, ...], new: tuple[Condition, ...]) -> Direction:
    """Wider where every new line lets through at least what an old line did; narrower the other way round."""
    if all(any(_covers(line, other) for other in old) for line in new):
        return Direction.WIDER
    if all(any(_covers(line, other) for other in new) for line in old):
        return Direction.NARROWER
    return Direction.BOTH


def _covers(wide: Condition, narrow: Condition) -> bool:
    """Whether all that passes `narrow` passes `wide`."""
    if (wide.path, wide.op) != (narrow.path, narrow.op) or (wide.missing, narrow.missing) == ("exclude", "include"):
        return False
    more, less = (wide.values, narrow.values) if wide.op != "not_in" else (narrow.values, wide.values)
    return set(more) >= set(less)


def _words(where: tuple[Condition, ...]) -> str:
    lines = (f"{line.path} {line.op} {list(line.values)} (missing: {line.missing})" for line in where)
    return " and ".join(lines) or "none"
