"""The whole example country in memory: its policy, all inboxes and feeds, one worker with the exchange's own stages."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from producers.encode import Encoder
from stream_processors.exchange import Exchange, Tools
from stream_processors.layout import Layout
from stream_processors.replay_log import ReplayLog
from stream_processors.report import Report
from stream_processors.route import Router
from tests.memory_log import MemoryLog, MemoryLoop
from tidings import topics
from tidings.agreements.country import Country
from tidings.agreements.load import load_country
from tidings.catalogue import Catalogue, default_catalogue_dir, load_catalogue
from tidings.clock import StillClock
from tidings.decisions import Block, Entry, verify_chain
from tidings.keys import KeyRing
from tidings.log import Message, Partition
from tidings.metrics import MetricStore
from tidings.partitions import partition_of
from tidings.policy.compile import compile_policy
from tidings.policy.model import Environment, Inbox, Policy, View
from tidings.projection import decode_view, reference_projector

FOLDER = Path(__file__).resolve().parents[2] / "agreements"
KEYS = KeyRing(bytes(range(32)))
_SYSTEM = {topics.DECISIONS: 3, topics.NONCES: 3, topics.QUARANTINE: 1}


@cache
def catalogue() -> Catalogue:
    """The checkout's event types."""
    return load_catalogue(default_catalogue_dir())


@cache
def example() -> Country:
    """The example country's agencies and agreements."""
    return load_country(FOLDER, catalogue())


@cache
def policy(now_ms: int) -> Policy:
    """The example country's policy as it is applied at `now_ms`, each schema under an id of its own."""
    numbers = itertools.count(1)
    ids: dict[str, int] = {}

    def schema_id(topic: str, schema: object) -> int:
        return ids.setdefault(f"{topic}\x1f{schema}", next(numbers))

    made = compile_policy(
        catalogue(), example(), schema_id, version=1, environment=Environment.SYNTHETIC, now_ms=now_ms, keys=KEYS
    )
    return made.model_copy(
        update={"system_schema_ids": {topics.DECISIONS: 901, topics.QUARANTINE: 902, "notices": 903}}
    )


@dataclass
class Nation:
    """A fresh country at `now_ms`. Publish, `settle`, and look at decisions and feeds."""

    now_ms: int = StillClock().now_ms()
    clock: StillClock = field(init=False)
    log: MemoryLog = field(init=False)

    def __post_init__(self) -> None:
        self.clock = StillClock(self.now_ms)
        self.policy = policy(self.now_ms)
        self.system = _SYSTEM | {topics.notices(inbox.agency): 1 for inbox in self.policy.inboxes}
        inboxes = {inbox.topic: inbox.partitions for inbox in self.policy.inboxes}
        feeds = {view.feed: inboxes[view.inbox] for view in self.policy.views}
        self.log = MemoryLog(self.clock, {topics.REPLAYS: 1, **self.system, **inboxes, **feeds})
        for topic in inboxes:
            self.log.open_inbox(topic)
        self._encoders = {inbox.event_type: _encoder(inbox) for inbox in self.policy.inboxes}
        self.loop = MemoryLoop(self.log, self._worker)

    def newer(self) -> Policy:
        """See `stream_processors.exchange.PolicySource`."""
        return self.policy

    def publish(self, event_type: str, event: dict[str, Any]) -> tuple[Partition, int]:
        """Put an event into its inbox as a sound publisher does, whatever the checks say. Returns where it stands."""
        record = self._encoders[event_type].encode(event)
        key = record.key or b""
        number = partition_of(key, self.log.partition_counts[record.topic])
        return Partition(record.topic, number), self.log.append(Message(record.topic, number, key, record.value))

    def settle(self) -> None:
        """Let the worker decide all that was published."""
        self.loop.drain()

    def blocks(self) -> list[Block]:
        """Every decision block, each partition's chain verified."""
        chains: dict[bytes, list[bytes]] = {}
        for record in self.log.all(topics.DECISIONS):
            chains.setdefault(record.key or b"", []).append(record.value or b"")
        return [block for key in sorted(chains) for block in verify_chain(iter(chains[key]))]

    def entries(self) -> dict[tuple[Partition, int], Entry]:
        """What was decided, by place."""
        return {
            (Partition(block.inbox, block.partition), entry.offset): entry
            for block in self.blocks()
            for entry in block.entries
        }

    def feed(self, agreement: str, event_type: str) -> list[dict[str, Any]]:
        """The views that an agreement's newest feed of an event type holds, partition by partition."""
        view = self._view(agreement, event_type)
        return [decode_view(view.view_schema, record.value or b"") for record in self.log.all(view.feed)]

    def _view(self, agreement: str, event_type: str) -> View:
        [view] = [v for v in self.policy.views if (v.agreement, v.event_type) == (agreement, event_type)]
        return view

    def _worker(self) -> Exchange:
        router = Router("worker-1", KEYS, Layout(self.system), bytes)
        report = Report(MetricStore(), self.clock)
        tools = Tools(_projector, self, self.log, lambda _policy: router, report, ReplayLog(self.log))
        return Exchange(self.policy, tools)


def _projector(made: Policy, inbox: Inbox, views: tuple[View, ...]) -> Any:
    return reference_projector(inbox, views, KEYS, made.version)


def _encoder(inbox: Inbox) -> Encoder:
    [schema_id] = [int(number) for number, schema in inbox.writer_schemas.items() if schema == inbox.reader_schema]
    return Encoder(inbox.agency, inbox.event_type, schema_id, inbox.reader_schema)


def agreements_of(feeds: Sequence[str]) -> list[str]:
    """The agreements of feeds' topics, sorted."""
    return sorted(topic.split(".")[2] for topic in feeds)
