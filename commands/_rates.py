"""What flows, by two looks at the exchange: events in, events decided, views out, each a second."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from commands._status_show import age
from tidings.observation import Observation

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Rates:
    """Each a second, by inbox topic and by (agreement, event type). `seconds` is the time between the looks.

    `arriving` and `decided` count offsets, so a publisher's own transactions count a little too much; `views` is exact:
    sequences have no gaps.
    """

    seconds: float
    arriving: dict[str, float]
    decided: dict[str, float]
    views: dict[tuple[str, str], float]


def rates(before: Observation, after: Observation) -> Rates:
    """What flowed between two looks. What stands in one of them only (a new inbox, an ended feed) is left out."""
    seconds = max(0.001, (after.at_ms - before.at_ms) / 1000)
    ends, committed = Counter[str](), Counter[str]()
    earlier = {each.partition: each for each in before.inboxes}
    for each in after.inboxes:
        old = earlier.get(each.partition)
        if old is not None:
            ends[each.partition.topic] += each.end - old.end
            committed[each.partition.topic] += each.committed - old.committed
    views = Counter[tuple[str, str]]()
    written = {feed.feed: feed.views for feed in before.feeds}
    for feed in after.feeds:
        if feed.feed in written:
            views[feed.agreement, feed.event_type] += feed.views - written[feed.feed]
    return Rates(seconds, _each(ends, seconds), _each(committed, seconds), _each(views, seconds))


def _each(counts: Counter[Key], seconds: float) -> dict[Key, float]:
    return {key: max(0, count) / seconds for key, count in counts.items()}


def top_of(flow: Rates, seen: Observation) -> RenderableType:
    """A table of inboxes and one of agreements, the busiest first."""
    waiting, oldest = Counter[str](), dict[str, float]()
    for each in seen.inboxes:
        topic = each.partition.topic
        waiting[topic] += each.waiting_events
        oldest[topic] = max(oldest.get(topic, 0.0), each.waiting_seconds)
    inboxes = Table(title=f"Inboxes, over {flow.seconds:.1f} s", title_justify="left")
    for name in ("inbox", "arriving/s", "decided/s", "waiting", "oldest"):
        inboxes.add_column(name, justify="left" if name == "inbox" else "right")
    for topic in sorted(flow.decided, key=lambda topic: (-flow.arriving[topic] - flow.decided[topic], topic)):
        inboxes.add_row(
            topic,
            f"{flow.arriving[topic]:,.0f}",
            f"{flow.decided[topic]:,.0f}",
            str(waiting[topic]),
            age(oldest[topic]),
        )
    feeds = Table(title="Agreements", title_justify="left")
    for name in ("agreement", "event type", "views/s"):
        feeds.add_column(name, justify="right" if name == "views/s" else "left")
    for (agreement, event_type), rate in sorted(flow.views.items(), key=lambda item: (-item[1], item[0])):
        feeds.add_row(agreement, event_type, f"{rate:,.0f}")
    total = (
        f"{sum(flow.arriving.values()):,.0f} events a second arrive, {sum(flow.decided.values()):,.0f} are decided,"
        f" {sum(flow.views.values()):,.0f} views are written; {len(seen.workers)} workers."
    )
    return Group(Text(total, style="bold"), inboxes, feeds)
