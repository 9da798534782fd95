"""What `tidings status` shows: parts, workers, inboxes, feeds with their readers, and what to do next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from commands._health import Health
from commands._terminal import printable
from tidings.decisions import Block
from tidings.observation import FeedSeen, InboxSeen, Observation

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def status_of(
    seen: Observation | None, parts: Sequence[Health], advice: Sequence[str], why: str = ""
) -> RenderableType:
    """Everything, most general first. `why` says why there is no observation."""
    shown: list[RenderableType] = [_parts(parts)] if parts else []
    if seen is None:
        shown.append(Text(why))
    else:
        sums = f"Policy {seen.policy_version} is published; {seen.quarantined} events are in quarantine."
        shown += [Text(sums), _workers(seen), _inboxes(seen), _feeds(seen), Text(_last(seen)), Text(_slowest(seen))]
    todo = [f"- {line}" for line in advice] or ["Nothing to do." if seen is not None else ""]
    return Group(*shown, Text("\n".join(["", "What to do next", *todo] if advice else todo), style="bold"))


def age(seconds: float) -> str:
    """A number of seconds as people say it: `0 s`, `4.2 s`, `3 min`, `2 h`, `5 d`."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds else "0 s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} d"


def _parts(parts: Sequence[Health]) -> Table:
    table = Table("part", "state", "address", "log, or what runs", box=None)
    for part in parts:
        about = part.log or escape(printable(part.runs))
        table.add_row(part.name, part.state if part.good else f"[red]{part.state}[/]", part.address, about)
    return table


def _workers(seen: Observation) -> Table:
    table = Table("worker", "inbox partitions", "policy", title="Workers", title_justify="left")
    for worker in seen.workers:
        version = worker.policy_version
        style = "" if version == seen.policy_version or not worker.partitions else "red"
        shown = "-" if version is None else str(version)
        table.add_row(
            escape(printable(worker.name)), str(worker.partitions), f"[{style}]{shown}[/]" if style else shown
        )
    return table


def _inboxes(seen: Observation) -> Table:
    table = Table(title="Inboxes", title_justify="left")
    for name in ("inbox", "events waiting", "oldest waits", "last decision", "policy"):
        table.add_column(name, justify="left" if name == "inbox" else "right")
    by_topic: dict[str, list[InboxSeen]] = defaultdict(list)
    for each in seen.inboxes:
        by_topic[each.partition.topic].append(each)
    for topic, inboxes in by_topic.items():
        blocks = [each.block for each in inboxes if each.block is not None]
        last = max((block.decided_at_ms for block in blocks), default=None)
        table.add_row(
            topic,
            str(sum(each.waiting_events for each in inboxes)),
            age(max(each.waiting_seconds for each in inboxes)),
            "-" if last is None else f"{age((seen.at_ms - last) / 1000)} ago",
            ", ".join(sorted({str(block.policy_version) for block in blocks})) or "-",
        )
    return table


def _feeds(seen: Observation) -> Table:
    table = Table(title="Feeds and who reads them", title_justify="left")
    names = ("agreement", "event type", "agency", "views", "lacks since", "group", "members", "unread", "oldest unread")
    for name in names:
        table.add_column(name, justify="left" if name in {"agreement", "event type", "agency", "group"} else "right")
    for feed in seen.feeds:
        head = [feed.agreement, feed.event_type, feed.agency, str(feed.views), age(feed.freshness_seconds)]
        for row in _readers(feed):
            table.add_row(*head, *row)
            head = [""] * len(head)
    return table


def _readers(feed: FeedSeen) -> list[list[str]]:
    if not feed.groups:
        return [["[dim]nobody yet[/]", "", "", ""]]
    return [
        [escape(printable(each.group)), str(each.members), str(each.lag_views), age(each.lag_seconds)]
        for each in feed.groups
    ]


def _last(seen: Observation) -> str:
    block = seen.last_decision()
    return "Nothing was decided yet." if block is None else f"Last decision: {_decision(block, seen.at_ms)}"


def _decision(block: Block, now_ms: int) -> str:
    what = f"{len(block.entries)} events" if block.entries else block.kind.value.lower().replace("_", " ")
    where = f"{block.inbox}/{block.partition}"
    return (
        f"{age(max(0, now_ms - block.decided_at_ms) / 1000)} ago by {printable(block.worker)}, {what} of {where},"
        f" policy {block.policy_version}."
    )


def _slowest(seen: Observation) -> str:
    slowest = seen.slowest()
    if slowest is None:
        return "Every group has read everything that it was told."
    feed, group = slowest
    return (
        f"Slowest subscriber: {feed.agency}, group {printable(group.group)}, {group.lag_views} views of"
        f" {feed.agreement} ({feed.event_type}) unread, the oldest for {age(group.lag_seconds)}."
    )
