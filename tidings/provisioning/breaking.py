"""Refuses a policy that would break a feed's readers: their schema of today could not read what would come."""

from __future__ import annotations

from tidings.agreements import Country
from tidings.errors import BadInput
from tidings.policy.diff import breaking_views, holds_begun_or_ended
from tidings.policy.model import Policy


def refuse_breaking(country: Country, in_force: Policy | None, policy: Policy) -> None:
    """Return where every feed that goes on can be read by its readers of today.

    Raises BadInput, naming each breaking change at its agreement: it needs a new version, whose feed runs beside. So
    does a hold that begins or ends, since a feed's sequences have one writer.
    """
    breaking = breaking_views(in_force, policy)
    views = {view.feed: view for view in policy.views}
    problems = [
        country.problem(
            country.find(views[feed].agreement, views[feed].agreement_version),
            ("events", views[feed].event_type),
            "breaks-readers",
            f"{change.path or '(record)'}: {change.kind.value}; "
            f"raise the agreement's version, so that a new feed runs beside {feed}",
        )
        for feed, changes in breaking.items()
        for change in changes
    ]
    problems += [
        country.problem(
            country.find(views[feed].agreement, views[feed].agreement_version),
            ("hold",),
            "hold-begins-or-ends",
            f"views of a feed are held from its first one, or never; raise the agreement's version, so that a new feed "
            f"runs beside {feed}",
        )
        for feed in holds_begun_or_ended(in_force, policy)
    ]
    if problems:
        raise BadInput(problems)
