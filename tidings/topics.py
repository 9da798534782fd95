"""Topic names, made and read in one place. Ids are `[a-z0-9-]+`, so a dot always separates and prefixes are safe."""

from __future__ import annotations

import re
from dataclasses import dataclass

POLICY = "exchange.policy"
DECISIONS = "exchange.decisions"
NONCES = "exchange.nonces"
QUARANTINE = "quarantine"
REPLAYS = "exchange.replays"
RELEASES = "exchange.releases"
RISK_FINDINGS = "risk.findings"

_FEED, _HELD = "feed.", "held."

_FEED_NAME = re.compile(r"feed\.([^.]+)\.([^.]+)\.v([1-9][0-9]{0,8})\.([^.]+)\Z")
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z")


def is_id(text: str) -> bool:
    """Whether `text` may name an agency, an event type or an agreement: `[a-z0-9-]+`, no hyphen at either end."""
    return len(text) <= 60 and _ID.match(text) is not None


def inbox(agency: str, event_type: str) -> str:
    """Where `agency` publishes events of `event_type`. Raises ValueError where either is not an id."""
    return _join("inbox", agency, event_type)


def feed(subscriber: str, agreement: str, version: int, event_type: str) -> str:
    """Where the views of one agreement go. Raises ValueError where a part is not an id or `version` is below 1."""
    if version < 1:
        raise ValueError("an agreement's version counts from 1")
    return _join("feed", subscriber, agreement, f"v{version}", event_type)


def held(feed_topic: str) -> str:
    """Where the views of `feed_topic` wait that its agreement holds back. Raises ValueError where it is no feed."""
    if not feed_topic.startswith(_FEED):
        raise ValueError(f"{feed_topic!r} is not a feed")
    return _HELD + feed_topic.removeprefix(_FEED)


def feed_of_held(held_topic: str) -> str:
    """The feed that the views in `held_topic` wait for. Raises ValueError where none wait there."""
    if not is_held(held_topic):
        raise ValueError(f"{held_topic!r} is no topic where views wait")
    return _FEED + held_topic.removeprefix(_HELD)


def is_held(topic: str) -> bool:
    """Whether views wait in `topic`."""
    return topic.startswith(_HELD)


def notices(publisher: str) -> str:
    """Where `publisher` hears what became of its events. Raises ValueError where it is not an id."""
    return _join("notices", publisher)


def scorecards(publisher: str) -> str:
    """Where `publisher` reads how good its events are. Raises ValueError where it is not an id."""
    return _join("scorecards", publisher)


def journeys(subscriber: str) -> str:
    """Where `subscriber` reads how life events go on. Raises ValueError where it is not an id."""
    return _join("journeys", subscriber)


def processor(name: str, *rest: str) -> str:
    """A topic that a derived processor keeps for itself. Raises ValueError where a part is not an id."""
    return _join("processor", name, *rest)


@dataclass(frozen=True, slots=True)
class InboxName:
    """An inbox topic's parts."""

    agency: str
    event_type: str


def parse_inbox(topic: str) -> InboxName:
    """The parts of an inbox topic's name. Raises ValueError where `topic` is not one."""
    parts = topic.split(".")
    if len(parts) != 3 or parts[0] != "inbox" or not all(map(is_id, parts[1:])):
        raise ValueError(f"{topic!r} is not an inbox")
    return InboxName(parts[1], parts[2])


@dataclass(frozen=True, slots=True)
class FeedName:
    """A feed's parts."""

    subscriber: str
    agreement: str
    version: int
    event_type: str


def parse_feed(topic: str) -> FeedName:
    """The parts of a feed's name. Raises ValueError where `topic` is not one."""
    match = _FEED_NAME.match(topic)
    if match is None or not all(map(is_id, match.group(1, 2, 4))):
        raise ValueError(f"{topic!r} is not a feed")
    return FeedName(match[1], match[2], int(match[3]), match[4])


def _join(*parts: str) -> str:
    for part in parts:
        if not is_id(part):
            raise ValueError(f"{part!r} is not an id: use a-z, 0-9 and inner hyphens")
    return ".".join(parts)
