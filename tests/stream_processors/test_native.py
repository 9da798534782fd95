"""The native executor against the reference, whole: the same records in, the same bytes in every topic."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import pytest

from stream_processors.compiled import NativeFactory, no_native
from tests.memory_log import Fate
from tests.stream_processors.correction_window.kit import HELD, HeldWorld
from tests.stream_processors.world import INBOX, KEYS, SUBJECTS, World, by_native, day, event, key, policy, value
from tidings import metrics, topics, wire
from tidings.catalogue import plain_schema
from tidings.partitions import partition_of
from tidings.policy.model import Inbox, Policy, View
from tidings.projection.explain import STOPPED
from tidings.projection.native import NativeInbox, native_version
from tidings.projection.program import inbox_program

_BUILT = native_version() is not None
pytestmark = pytest.mark.skipif(
    not _BUILT and "TIDINGS_REQUIRE_NATIVE" not in os.environ, reason="the native extension is not built: make native"
)

Change = dict[str, Any]
_FATES = ("delivered", "held", "withdrawn", "filtered")
_CHANGES: list[Change] = [
    {},
    {},
    {},
    {"change": "CORRECTED"},
    {"change": "ANNULLED", "deceased": None},
    {"change": "ENDED", "record_version": None, "supersedes": "00000000-0000-4000-8000-000000000001"},
    {"protection": "FULL"},
    {"protection": "LOCATION", "change": "REINSTATED"},
    {"usual_residence": {"use": "HOME", "lines": ["a", "b"], "postcode": "SW1A 2AA", "country": "FR"}},
    {"usual_residence": {"use": "HOME", "lines": [], "postcode": "x", "country": "XX"}},
    {"usual_residence": None},
    {"occurred_on": day(2029, 1, 1)},
    {"occurred_on": day(2026, 2, 30)},
    {"occurred_on": day(2026) | {"time": "10:00", "zone": "Europe/London"}},
    {"occurred_on": day(1930, 1)},
    {"deceased": None},
    {"recorded_at": 1_000_000_000},
    {"recorded_at": 10**18},
    {"subject": {"scheme": "nhs_number", "value": "9990000019"}},
    {"subject": {"scheme": "gro_registration", "value": " zo\u00eb 12 "}},
    {"subject": {"scheme": "gro_registration", "value": " ab 12 "}},
    {"source": {"agency": "dwp", "system": "rop", "ref": "x"}},
    {"identifiers": [{"scheme": "iban", "value": "GB00", "verified": None}]},
    {"environment": "LIVE"},
    {"event_id": "00000000-0000-4000-8000-00000000000A"},
    {"life_event_id": "no uuid"},
    {"deceased": {"names": [{"use": "ALIAS", "family": "\u00c5str\u00f6m", "given": []}], "date_of_birth": day(1941)}},
]


def _publish(world: World, seed: int, count: int) -> None:
    """Sound and unsound events, repeats, reused ids, broken bytes, other frames: the same for the same seed."""
    chosen = random.Random(seed)  # noqa: S311 - a seed makes the case again
    for number in range(count):
        record = event(chosen.randrange(number + 5), **chosen.choice(_CHANGES))
        whole = bytearray(value(record))
        fate = chosen.random()
        more: dict[str, Any] = {}
        if fate < 0.1:
            for _ in range(chosen.randrange(1, 3)):
                whole[chosen.randrange(len(whole))] = chosen.randrange(256)
            more["value"] = bytes(whole)
        elif fate < 0.15:
            more["value"] = bytes(whole[: chosen.randrange(len(whole))])
        elif fate < 0.2:
            more = chosen.choice(
                [{"value": None}, {"key": None}, {"key": b"other"}, {"partition": 1}, {"value": value(record, 8)}]
            )
        world.publish(record, **more)


def _world(native: NativeFactory, seed: int) -> World:
    return World(random_bytes=lambda count: bytes((seed + at) % 251 for at in range(count)), native=native)


def _by_every_processor(made: Policy, inbox: Inbox, views: tuple[View, ...]) -> NativeInbox | str:
    """The native executor, which spreads even small batches."""
    program = inbox_program(inbox, views, made.environment.value, made.version)
    return STOPPED if inbox.stopped else NativeInbox(program, KEYS, events_a_thread=5)


def _topics(world: World) -> dict[str, list[Any]]:
    return {topic: world.log.all(topic) for topic in sorted(world.log.topics())}


@pytest.mark.parametrize("seed", range(12))
def test_every_topic_holds_the_same_bytes(seed: int) -> None:
    """Feeds, blocks, nonces, notices and quarantine are the reference's, record by record, whatever was published."""
    made = []
    for native in (no_native, by_native, _by_every_processor):
        world = _world(native, seed)
        _publish(world, seed, 120)
        world.loop.drain(limit=37)
        made.append(_topics(world))
    assert made[0] == made[1] == made[2]
    assert len(made[0][topics.DECISIONS]) > 3


@pytest.mark.parametrize("seed", range(4))
def test_views_that_are_held_are_the_same_bytes(seed: int) -> None:
    """What waits, its decisions and counts, beside a feed that does not wait; by the extension alone."""
    made = []
    for native in (no_native, by_native):
        world = HeldWorld(native=native, random_bytes=lambda count: bytes((seed + at) % 251 for at in range(count)))
        _publish(world, seed, 60)
        world.loop.drain(limit=37)
        made.append((_topics(world), [world.metrics.value(metrics.EVENTS, "death-registered", it) for it in _FATES]))
    assert made[0] == made[1]
    assert made[0][0][HELD]
    assert made[0][1][0] > 0
    said = world.make().executors()[INBOX]
    if "TIDINGS_REQUIRE_NATIVE" not in os.environ and "before views could be held" in said["why_not_native"]:
        pytest.skip(said["why_not_native"])
    assert said["executor"] == "native"


def test_a_stopped_publisher_is_refused_alike() -> None:
    """Of a stopped inbox nothing is delivered, whoever decides."""
    made = []
    for native in (no_native, by_native):
        world = _world(native, 3)
        _publish(world, 3, 20)
        world.loop.drain()
        world.policy = policy(2, stopped=True)
        _publish(world, 4, 20)
        world.loop.drain()
        made.append(_topics(world))
    assert made[0] == made[1]


@pytest.mark.parametrize("fate", list(Fate))
def test_a_batch_that_fails_is_decided_again_alike(fate: Fate) -> None:
    """After an abort or a crash the window, the chain and the sequences are what they would be by the reference."""
    made = []
    for native in (no_native, by_native):
        world = _world(native, 1)
        _publish(world, 5, 40)
        world.loop.turn(limit=15)
        world.loop.turn(limit=15, fate=fate)
        world.loop.drain(limit=15)
        made.append(_topics(world))
    assert made[0] == made[1]


def test_what_python_fails_on_is_quarantined_in_its_place() -> None:
    """A deferred event on which our own code fails is quarantined; its neighbours, decided natively, are delivered."""

    def worlds(native: NativeFactory) -> World:
        world = World(factory=_failing(world_factory()), native=native)
        for number in range(8):
            record = event(number, **({"deceased": None, "change": "ANNULLED"} if number == 3 else {}))
            if number == 3:
                record["subject"] = {"scheme": "gro_registration", "value": "\u00e9"}
            world.publish(record)
        world.loop.drain()
        return world

    assert _topics(worlds(no_native)) == _topics(worlds(by_native))


def world_factory() -> Callable[..., Any]:
    """The reference projector's factory."""
    from tests.stream_processors.world import reference

    return reference


def _failing(factory: Callable[..., Any]) -> Callable[..., Any]:
    """A factory whose projectors fail on what is not ASCII."""

    class Failing:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def scan(self, schema_id: int, body: bytes) -> Any:
            return self._inner.scan(schema_id, body)

        def findings(self, scan: Any, now_ms: int) -> Any:
            return self._inner.findings(scan, now_ms)

        def decide(self, scan: Any, view: Any, flags: Any) -> Any:
            if not scan.subject[1].isascii():
                raise RuntimeError
            return self._inner.decide(scan, view, flags)

    return lambda *args: Failing(factory(*args))


_YEARS_AGO = 8


def _older() -> tuple[Any, Any]:
    """The policy with an older version, which had one field less and another in front, and how to write under it."""
    from tests.stream_processors.world import EVENT_TYPE

    fields = [dict(each) for each in EVENT_TYPE.schema["fields"] if each["name"] != "registration_district"]
    extra = {"name": "remark", "type": ["null", "string"], "default": None, "doc": "x", "category": "plain"}
    schema = {**EVENT_TYPE.schema, "fields": [*fields[:3], extra, *fields[3:]]}
    made = policy()
    inbox = made.inboxes[0].model_copy(
        update={"writer_schemas": {str(_YEARS_AGO): schema, **made.inboxes[0].writer_schemas}}
    )
    return made.model_copy(update={"inboxes": (inbox,)}), fastavro.parse_schema(plain_schema(schema))


def _under(schema: Any, record: dict[str, Any]) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return wire.header(_YEARS_AGO) + out.getvalue()


def test_events_of_an_older_version_are_the_same_bytes() -> None:
    """Among those of today, sound and unsound; and the sound ones never reach Python."""
    from tidings.log import InboxRecord, Partition
    from tidings.projection.native import NativeWindow

    made = []
    older, schema = _older()
    for native in (no_native, by_native):
        world = World(older, native=native)
        for number in range(60):
            record = event(number, **_CHANGES[number % len(_CHANGES)])
            whole = _under(schema, record | {"remark": "x"})
            cut = {"value": whole[:-1]} if number % 7 == 6 else {"value": whole}
            world.publish(record, **(cut if number % 2 else {}))
        world.loop.drain(limit=37)
        made.append(_topics(world))
    engine = by_native(older, older.inboxes[0], older.views)
    assert made[0] == made[1]
    assert not isinstance(engine, str)
    if engine.resolves:
        records = [InboxRecord(INBOX, 0, at, 0, key(each), _under(schema, each)) for at, each in enumerate(_sound())]
        weighed = engine.weigh(Partition(INBOX, 0), records, NativeWindow(50), b"\1\1\2\0", 1_780_400_000_000)
        assert weighed.deferred == []


def _sound() -> list[dict[str, Any]]:
    events = [event(at, subject={"scheme": "nhs_number", "value": SUBJECTS[at % 4]}) for at in range(20)]
    return [each for each in events if partition_of(key(each), 2) == 0]


def test_most_of_a_sound_batch_never_reaches_python() -> None:
    """What is deferred is the exception: of sound events none is."""
    from tests.stream_processors.world import INBOX, SCHEMA_ID, key, policy
    from tidings.log import InboxRecord, Partition
    from tidings.partitions import partition_of
    from tidings.projection.native import NativeWindow

    made = policy()
    engine = by_native(made, made.inboxes[0], made.views)
    assert engine is not None
    assert engine.unproven() == []
    records = []
    for number in range(200):
        record = event(number, subject={"scheme": "nhs_number", "value": SUBJECTS[number % 4]})
        if partition_of(key(record), 2) == 0:
            records.append(InboxRecord(INBOX, 0, number, 0, key(record), value(record, SCHEMA_ID)))
    weighed = engine.weigh(Partition(INBOX, 0), records, NativeWindow(50), b"\x01\x01\x02\x00", 1_780_400_000_000)
    assert records
    assert weighed.deferred == []
