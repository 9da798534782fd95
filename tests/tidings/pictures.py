"""Made-up observations for tests of what is made of them."""

from __future__ import annotations

from typing import Any

from tidings.decisions import Block, BlockKind
from tidings.log import Partition
from tidings.observation import FeedSeen, InboxSeen, Observation, WorkerSeen

NOW_MS = 1_780_315_200_000
PLACE = Partition("inbox.gro.death-registered", 0)


def block(**changes: Any) -> Block:
    """A decision block of an idle partition, with changes."""
    fields: dict[str, Any] = {
        "kind": BlockKind.BATCH,
        "inbox": PLACE.topic,
        "partition": PLACE.partition,
        "first_offset": 0,
        "last_offset": 9,
        "previous_hash": bytes(32),
        "policy_version": 3,
        "policy_hash": "00",
        "decided_at_ms": NOW_MS - 1_000,
        "worker": "exchange-main-0/0",
    }
    return Block(**{**fields, **changes})


INBOX = InboxSeen(PLACE, "gro", "death-registered", 10, 10, 0, 0.0, block())
FEED = FeedSeen("feed.dwp.benefits.v1.death-registered", "dwp", "benefits", "death-registered", 10, 0.0)
WORKER = WorkerSeen("exchange-main-0", 1, 3)


def picture(**changes: Any) -> Observation:
    """An exchange in order: one inbox, one feed, one worker; with changes."""
    fields: dict[str, Any] = {
        "at_ms": NOW_MS,
        "policy_version": 3,
        "inboxes": (INBOX,),
        "feeds": (FEED,),
        "workers": (WORKER,),
        "quarantined": 0,
    }
    return Observation(**{**fields, **changes})
