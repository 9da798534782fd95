"""A small country for tests of the exchange: the real `death-registered`, four agreements, everything in memory."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import fastavro

from stream_processors.compiled import NativeFactory, ProjectorFactory, no_native
from stream_processors.exchange import Exchange, Tools
from stream_processors.executors import NATIVE, executors
from stream_processors.layout import Layout
from stream_processors.limits import QuarantineLimits
from stream_processors.replay_log import ReplayLog
from stream_processors.report import Report
from stream_processors.route import Router
from tests.memory_log import MemoryLog, MemoryLoop
from tidings import topics, wire
from tidings.catalogue import default_catalogue_dir, load_catalogue, plain_schema
from tidings.clock import StillClock
from tidings.deduplication import Window
from tidings.keys import KeyRing
from tidings.log import Message, Partition
from tidings.metrics import MetricStore
from tidings.partitions import partition_of
from tidings.policy.model import Condition, Environment, FieldRule, Inbox, Policy, Protection, View
from tidings.projection import derive_view_schema, reference_projector
from tidings.projection.native import NativeInbox, NativeWindow

KEYS = KeyRing(bytes(range(32)))
EVENT_TYPE = load_catalogue(default_catalogue_dir()).event_types["death-registered"]
SCHEMA = EVENT_TYPE.schema
SCHEMA_ID = 7
INBOX = "inbox.gro.death-registered"
PARTITIONS = 2
SUBJECTS = ("9990000018", "9990000026", "9990000034", "9990000042")
_PLAIN = fastavro.parse_schema(plain_schema(SCHEMA))
_SPACE = uuid.UUID(int=1)


def event_id(number: int) -> str:
    """A uuid for the event `number`."""
    return str(uuid.uuid5(_SPACE, str(number)))


def day(year: int, month: int | None = None, day_of_month: int | None = None) -> dict[str, Any]:
    """A PartialDate."""
    rest = dict.fromkeys(("time", "zone", "text", "verification"))
    return {"year": year, "month": month, "day": day_of_month, **rest}


def event(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A sound event about one of `SUBJECTS`, living in Great Britain, with `changes`."""
    made: dict[str, Any] = {
        "event_id": event_id(number),
        "change": "CREATED",
        "record_id": f"R/{number}",
        "record_version": 1,
        "recorded_at": 1_780_000_000_000,
        "received_at": 1_780_000_100_000,
        "occurred_on": day(2026, 5, 4),
        "source": {"agency": "gro", "system": "rop", "ref": f"file:{number}"},
        "subject": {"scheme": "nhs_number", "value": SUBJECTS[number % len(SUBJECTS)]},
        "protection": "NONE",
        "environment": "SYNTHETIC",
        "deceased": {
            "names": [{"use": "OFFICIAL", "family": "Quillfeather", "given": ["Ada"]}],
            "date_of_birth": day(1941, 2, 3),
        },
        "usual_residence": {"use": "HOME", "lines": ["1 Hidden Lane"], "postcode": "SW1A 2AA", "country": "GB"},
    }
    return made | changes


def body(record: dict[str, Any]) -> bytes:
    """A record's Avro body."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _PLAIN, record)
    return out.getvalue()


def value(record: dict[str, Any], schema_id: int = SCHEMA_ID) -> bytes:
    """A record as it stands in an inbox."""
    return wire.header(schema_id) + body(record)


def key(record: dict[str, Any]) -> bytes:
    """The inbox's key."""
    return f"{record['subject']['scheme']}:{record['subject']['value']}".encode()


def view(agreement: str, rules: dict[str, Any], **more: Any) -> View:
    """One agreement's view of `death-registered`, in force in 2026."""
    fields = tuple(
        FieldRule(path=path, mask=rule) if isinstance(rule, str) else FieldRule(path=path, mask=rule[0], params=rule[1])
        for path, rule in rules.items()
    )
    schema = derive_view_schema(
        SCHEMA,
        fields,
        subscriber="dwp",
        agreement=agreement,
        agreement_version=1,
        include_flags=bool(more.get("include_flags")),
    )
    settings: dict[str, Any] = {
        "agreement": agreement,
        "agreement_version": 1,
        "subscriber": "dwp",
        "inbox": INBOX,
        "event_type": "death-registered",
        "feed": f"feed.dwp.{agreement}.v1.death-registered",
        "schema_id": 11,
        "view_schema": schema,
        "fields": fields,
        "where": (),
        "key_group": agreement,
        "protected": Protection.NONE,
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2026, 12, 31),
        "after_end": "nothing",
    }
    return View(**(settings | more))


IN_BRITAIN = Condition(path="usual_residence.country", op="in", values=("GB",), missing="exclude")
BENEFITS = view(
    "benefits",
    {"deceased.names": "keep", "deceased.date_of_birth": ("generalise", {"to": "year"}), "subject": "pseudonym"},
    where=(IN_BRITAIN,),
    schema_id=11,
)
STATISTICS = view(
    "statistics", {"usual_residence.country": "keep"}, protected=Protection.FULL, include_flags=True, schema_id=12
)
ENDED = view(
    "ended",
    {"deceased.names": "keep"},
    valid_until=date(2026, 5, 31),
    after_end="corrections",
    schema_id=13,
)
FUTURE = view("future", {"deceased.names": "keep"}, valid_from=date(2026, 7, 1), schema_id=14)


def policy(
    version: int = 1,
    views: tuple[View, ...] = (BENEFITS, STATISTICS, ENDED, FUTURE),
    *,
    window: int = 50,
    stopped: bool = False,
) -> Policy:
    """A policy of one inbox with `views`."""
    inbox = Inbox(
        topic=INBOX,
        agency="gro",
        event_type="death-registered",
        partitions=PARTITIONS,
        reader_schema=SCHEMA,
        writer_schemas={str(SCHEMA_ID): SCHEMA},
        checks=EVENT_TYPE.checks,
        deduplication_window_events=window,
        stopped=stopped,
    )
    ids = {topics.DECISIONS: 101, topics.QUARANTINE: 102, "notices": 103}
    return Policy(
        version=version,
        environment=Environment.SYNTHETIC,
        created_at_ms=0,
        inboxes=(inbox,),
        views=views,
        system_schema_ids=ids,
        hash=f"{version:064x}",
    )


def reference(made: Policy, inbox: Inbox, views: tuple[View, ...]) -> Any:
    """The reference projection, as a `ProjectorFactory`."""
    return reference_projector(inbox, views, KEYS, made.version)


def by_native(made: Policy, inbox: Inbox, views: tuple[View, ...]) -> NativeInbox | str:
    """The native executor, as a worker has it."""
    return executors(KEYS, NATIVE).native(made, inbox, views)


class World:
    """A log, a policy source and a loop. `published` lists what was sent, in order."""

    def __init__(
        self,
        first: Policy | None = None,
        factory: ProjectorFactory = reference,
        limits: QuarantineLimits | None = None,
        random_bytes: Callable[[int], bytes] = bytes,
        native: NativeFactory = no_native,
    ) -> None:
        self.clock = StillClock()
        self.policy = first or policy()
        self.policies: dict[int, Policy] = {}
        self.factory = factory
        self.limits = limits or QuarantineLimits()
        self.random_bytes = random_bytes
        self.native = native
        feeds = {each.feed: PARTITIONS for each in (BENEFITS, STATISTICS, ENDED, FUTURE)}
        self.system = {topics.DECISIONS: 3, topics.NONCES: 3, topics.QUARANTINE: 1, "notices.gro": 1}
        self.log = MemoryLog(self.clock, {INBOX: PARTITIONS, topics.REPLAYS: 1, **self.system, **feeds})
        self.log.open_inbox(INBOX)
        self.metrics = MetricStore()
        self.loop = MemoryLoop(self.log, self.make)

    def newer(self) -> Policy:
        """The policy source: always says what is in force."""
        self.policies[self.policy.version] = self.policy
        return self.policy

    def make(self) -> Exchange:
        """A worker that starts now."""
        self.policies[self.policy.version] = self.policy
        router = Router("worker-1", KEYS, Layout(self.system), self.random_bytes)
        self.metrics = MetricStore()
        tools = Tools(
            self.factory,
            self,
            self.log,
            lambda _policy: router,
            Report(self.metrics, self.clock),
            ReplayLog(self.log),
            self.limits,
            self.native,
            Window if self.native is no_native else NativeWindow,
        )
        return Exchange(self.policy, tools)

    def publish(self, record: dict[str, Any], **more: Any) -> tuple[Partition, int]:
        """Send an event, or (`key=`, `value=`, `partition=`) something else in its place. Returns where it stands."""
        its_key = more.get("key", key(record))
        number = more.get("partition", partition_of(key(record), PARTITIONS))
        its_value = more["value"] if "value" in more else value(record)
        return Partition(INBOX, number), self.log.append(Message(INBOX, number, its_key, its_value))
