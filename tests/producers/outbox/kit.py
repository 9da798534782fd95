"""An agency's outbox for tests, and inboxes in memory that promise what `OnceWriter` does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from deploy.local.files import make_password
from producers.outbox.database import Connection, connect
from producers.outbox.judge import Judge
from producers.outbox.metrics import OUTBOX_METRICS
from producers.outbox.relay import Relay, RelaySettings
from producers.publisher import EventPublisher
from producers.simulator import Settings, simulate
from tests.postgres import Postgres
from tests.tidings.provisioning.kit import TODAY, inbox, policy
from tidings import topics
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.clock import SystemClock
from tidings.errors import Retriable
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.cluster import Cluster
from tidings.kafka.errors import Fenced
from tidings.kafka.write_once import Record
from tidings.metrics import MetricStore
from tidings.policy.model import Environment
from tidings.provisioning.access import access_of
from tidings.provisioning.topic_plan import INBOX_MESSAGE_MAX_BYTES

CATALOGUE = load_catalogue(default_catalogue_dir())
AGENCY = "gro"
DATABASE = "agency"
INBOX = topics.inbox(AGENCY, "death-registered")
PARTITIONS = 3
MOST_TURNS = 200
LOGINS = {
    "app": "tidings_outbox_writer",
    "relay": "tidings_outbox_relay",
    "operator": "tidings_outbox_operator",
}
NOWHERE = Cluster(
    bootstrap_servers="", ca_file=Path(), credentials_dir=Path(), keys_file=Path(), environment=Environment.SYNTHETIC
)
Event = tuple[str, dict[str, Any]]


class NoSender:
    """Nothing is sent one by one."""

    def send(self, *_arguments: object) -> None:
        """See `Sender.send`."""
        raise AssertionError

    def flush(self) -> None:
        """See `Sender.flush`."""


def events(count: int, seed: int = 1) -> list[Event]:
    """Made-up events of the agency, each with an id of its own."""
    return [(kind, dict(event)) for kind, event in _simulated(count, seed)]


@cache
def _simulated(count: int, seed: int) -> list[Event]:
    settings = Settings(seed=seed, people=20_000, bad_share=0, duplicate_share=0, only=frozenset({"death-registered"}))
    return [(each.event_type, dict(each.event)) for each in simulate(count, settings)]


def rows_of(count: int, subjects: int = 9, seed: int = 1) -> list[Event]:
    """Sound events that are about few subjects, again and again, each with an id of its own."""
    about = events(subjects, seed)
    made = []
    for number in range(count):
        kind, event = about[number % subjects]
        made.append((kind, event | {"event_id": str(uuid5(NAMESPACE_OID, f"{seed}/{number}"))}))
    return made


def key(event: dict[str, Any]) -> str:
    """Its subject as the inbox's key."""
    return f"{event['subject']['scheme']}:{event['subject']['value']}"


class Outbox:
    """One database with an outbox. `run` is the owner's."""

    def __init__(self, postgres: Postgres, name: str) -> None:
        self.postgres = postgres
        self.name = name
        self._owner: Any = None

    def dsn(self, user: str = "relay") -> str:
        """How `user` connects."""
        return self.postgres.dsn(self.name, user)

    def run(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a query as the owner."""
        if self._owner is None or self._owner.closed:
            self._owner = self.postgres.connect(self.name)
        cursor = self._owner.execute(query, values or None)
        return list(cursor.fetchall()) if cursor.description else []

    def insert(self, rows: Iterable[tuple[str, Any]]) -> None:
        """As the agency's application, in one transaction: JSON objects, or a text as it is."""
        with self.postgres.connect(self.name, "app") as session, session.transaction(), session.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO tidings.outbox (event_type, event) VALUES (%s, %s)",
                [(kind, event if isinstance(event, str) else json.dumps(event)) for kind, event in rows],
            )

    def states(self) -> dict[str, int]:
        """How many rows are in each state."""
        found = self.run("SELECT state, count(*) FROM tidings.outbox_rows GROUP BY state")
        return {str(state): int(count) for state, count in found}

    def close(self) -> None:
        """Let the session go."""
        if self._owner is not None:
            self._owner.close()


def emptied(postgres: Postgres) -> Outbox:
    """The session's outbox without rows, its slots under names that nobody wrote under yet. Close it."""
    made = Outbox(postgres, DATABASE)
    made.run(
        "TRUNCATE tidings.outbox, tidings.outbox_waiting, tidings.outbox_batches, tidings.outbox_findings,"
        " tidings.outbox_slots RESTART IDENTITY"
    )
    made.run("INSERT INTO tidings.outbox_slots (slot) SELECT generate_series(0, 3)")
    return made


class MemoryInboxes:
    """What every writer has committed. A name has one holder, the newest; `fail` breaks a commit off once: before or
    after it was made, or as fenced by nobody who is there."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.tokens: dict[str, str] = {}
        self.holders: dict[str, object] = {}
        self.lock = threading.Lock()
        self.fail: str | None = None

    def open(self, name: str) -> MemoryWriter:
        """Take a name over."""
        writer = MemoryWriter(self, name)
        with self.lock:
            self.holders[name] = writer
        return writer

    def ids(self) -> list[str]:
        """The event ids in the order of their commits."""
        return [event_id_of(record.value or b"") for record in self.records]


class MemoryWriter:
    """See `OnceWriter`."""

    def __init__(self, inboxes: MemoryInboxes, name: str) -> None:
        self._inboxes = inboxes
        self._name = name

    def position(self) -> str | None:
        """See `OnceWriter.position`."""
        return self._inboxes.tokens.get(self._name)

    def write(self, records: Iterable[Record], token: str) -> None:
        """See `OnceWriter.write`."""
        inboxes = self._inboxes
        with inboxes.lock:
            if inboxes.holders[self._name] is not self:
                raise Fenced("a newer run holds the name")
            fail, inboxes.fail = inboxes.fail, None
            if fail == "fenced":
                raise Fenced("a client that was given up holds the name")
            if fail == "before":
                raise Retriable("aborted")
            inboxes.records += records
            inboxes.tokens[self._name] = token
            if fail == "after":
                raise Retriable("nobody knows")

    def close(self) -> None:
        """See `OnceWriter.close`."""


def event_id_of(value: bytes) -> str:
    """The event_id of a framed event: its head begins with it, a length of 36 and its text."""
    assert value[5] == 72
    return value[6:42].decode()


def provide(cluster: Cluster) -> None:
    """Make the agency, one inbox and the access that `tidings apply` gives it."""
    admin = Admin(cluster)
    admin.set_password(AGENCY, make_password(cluster.credentials_dir / f"{AGENCY}.password"))
    wanted = [
        Topic(INBOX, PARTITIONS, 1, {"max.message.bytes": str(INBOX_MESSAGE_MAX_BYTES)}),
        Topic(topics.notices(AGENCY), 1, 1),
    ]
    admin.create_topics(wanted)
    admin.wait_for_topics({each.name: each.partitions for each in wanted})
    made = access_of(policy(inbox(AGENCY)), (AGENCY,), TODAY, cluster.deployment)
    admin.create_acls({entry for entry in made if entry.principal == AGENCY})


def judge() -> Judge:
    """A judge that asks no registry."""
    clock = SystemClock()
    ids = dict.fromkeys(CATALOGUE.event_types, 1)
    publisher = EventPublisher(NOWHERE, AGENCY, catalogue=CATALOGUE, schema_ids=ids, clock=clock, sender=NoSender())
    return Judge(publisher, CATALOGUE, AGENCY, Environment.SYNTHETIC, clock)


SETTINGS = RelaySettings(batch_max_rows=7, look_seconds=0.05, wait_seconds=0.05, lag_seconds=0.0)


def relay_on(
    connection: Connection,
    inboxes: MemoryInboxes,
    settings: RelaySettings = SETTINGS,
    probe: Callable[[str], None] = lambda _step: None,
    store: MetricStore | None = None,
) -> Relay:
    """A relay into memory."""
    return Relay(
        connection, judge(), inboxes.open, SystemClock(), store or MetricStore(OUTBOX_METRICS), settings, probe
    )


def empty(outbox: Outbox, inboxes: MemoryInboxes, **more: Any) -> None:
    """Relay until nothing waits. Raises AssertionError where that never comes."""
    turns = count()

    def going_on() -> bool:
        assert next(turns) < MOST_TURNS, "the outbox does not become empty"
        return "waiting" in outbox.states()

    with connect(outbox.dsn()) as connection:
        relay = relay_on(connection, inboxes, **more)
        try:
            relay.run(going_on)
        finally:
            relay.close()


def hold_to_order(sent: Sequence[str], rows: Sequence[Event]) -> None:
    """Assert that `sent` are the rows' event ids, each once, and in the rows' order for each subject."""
    ids = [event["event_id"] for _, event in rows]
    assert sorted(sent) == sorted(ids)
    place = {event_id: at for at, event_id in enumerate(sent)}
    by_subject: dict[str, list[int]] = {}
    for _, event in rows:
        by_subject.setdefault(key(event), []).append(place[event["event_id"]])
    assert any(len(each) > 1 for each in by_subject.values())
    assert [each for each in by_subject.values() if each != sorted(each)] == []
