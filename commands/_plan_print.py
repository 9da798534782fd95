"""Prints a plan for people: the privacy diff first, then the changes by kind, then what is left out."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from commands._terminal import printable
from tidings.agreements.samples import Samples
from tidings.policy.count_samples import count_samples
from tidings.policy.diff import FeedChange, breaking_views, privacy_diff
from tidings.provisioning.changes import Change, Kind
from tidings.provisioning.planning import Plan

_SHOWN = 12


def print_plan(console: Console, plan: Plan, samples: Samples | None = None) -> None:
    """The whole plan. With `samples`, also how many of them pass the filter of each feed that changes."""
    if not plan.changes:
        version = plan.in_force.version if plan.in_force else 0
        console.print(f"Nothing to change: policy {version} is in force and everything is as the files say.")
    else:
        _print_privacy(console, plan, samples or {})
        for kind in Kind:
            _print_kind(console, kind, [change for change in plan.changes if change.kind is kind])
    for each in plan.pending:
        console.print(f"[yellow]left out[/] {_plain(each)}")


def _print_privacy(console: Console, plan: Plan, samples: Samples) -> None:
    changes = privacy_diff(plan.in_force, plan.desired.policy)
    if not changes:
        console.print("[bold]Who sees what:[/] no change.")
    for change in changes:
        _print_feed(console, change)
        for line in _passing(plan, change, samples):
            console.print(f"  {line}", highlight=False, soft_wrap=True)
    for feed, breaks in breaking_views(plan.in_force, plan.desired.policy).items():
        console.print(f"[red]{feed} would break its readers[/]; make a new version of the agreement:")
        for each in breaks:
            console.print(f"  {_plain(each)}", highlight=False)


def _passing(plan: Plan, change: FeedChange, samples: Samples) -> Iterator[str]:
    """How many sample events pass the filter of each version of a feed, where it has one."""
    inboxes = {inbox.topic: inbox for inbox in plan.desired.policy.inboxes}
    events = samples.get(change.event_type, {}).values()
    for view in plan.desired.policy.views:
        mine = (view.subscriber, view.agreement, view.event_type)
        if mine == (change.subscriber, change.agreement, change.event_type) and view.where and events:
            count = count_samples(view, inboxes[view.inbox], events)
            yield f"v{view.agreement_version}: {count.passing} of {count.total} sample events pass its filter"


def _print_feed(console: Console, change: FeedChange) -> None:
    title = f"{change.subscriber} by {change.agreement} of {change.event_type}"
    console.print(f"[bold]{title}[/]: {change.direction.value}", highlight=False)
    for words, fields in (("would newly see", change.newly_seen), ("would no longer see", change.no_longer)):
        if fields:
            named = ", ".join(f"{each.path} ({each.after or each.before})" for each in fields)
            console.print(f"  {words}: {_plain(named)}", highlight=False, soft_wrap=True)
    for each in change.otherwise_seen:
        console.print(
            _plain(f"  would see otherwise: {each.path} ({each.before} becomes {each.after})"), highlight=False
        )
    for term in change.terms:
        console.print(f"  {_plain(term)}", highlight=False, soft_wrap=True)


def _print_kind(console: Console, kind: Kind, changes: list[Change]) -> None:
    if not changes:
        return
    console.print(f"[bold]{kind.value}[/] ({len(changes)})")
    for change in changes[:_SHOWN]:
        console.print(f"  {_plain(change.name)}: {_plain(change.detail)}", highlight=False, soft_wrap=True)
    if len(changes) > _SHOWN:
        console.print(f"  … and {len(changes) - _SHOWN} more")


def _plain(text: object) -> str:
    """An agreement's own words: neither terminal nor markup may obey them, or a filter could hide itself."""
    return escape(printable(str(text)))
