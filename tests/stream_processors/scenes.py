"""What executors are compared by: events of every kind, and what may happen to them on the way. Each scene returns all
topics; the executor is the world's."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro

from tests.memory_log import Fate
from tests.stream_processors.correction_window.kit import HeldWorld
from tests.stream_processors.world import EVENT_TYPE, SUBJECTS, World, day, event, key, policy, value
from tidings import metrics, wire
from tidings.catalogue import plain_schema
from tidings.partitions import partition_of

Change = dict[str, Any]
OUTCOMES = ("delivered", "held", "withdrawn", "filtered")
CHANGES: list[Change] = [
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


def publish(world: World, seed: int, count: int) -> None:
    """Sound and unsound events, repeats, reused ids, broken bytes, other frames: the same for the same seed."""
    chosen = random.Random(seed)  # noqa: S311 - a seed makes the case again
    for number in range(count):
        record = event(chosen.randrange(number + 5), **chosen.choice(CHANGES))
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


def nonces(seed: int) -> Callable[[int], bytes]:
    """In place of random bytes, the same ones for the same seed."""
    return lambda count: bytes((seed + at) % 251 for at in range(count))


def all_topics(world: World) -> dict[str, list[Any]]:
    """What every topic holds."""
    return {topic: world.log.all(topic) for topic in sorted(world.log.topics())}


_YEARS_AGO = 8


def older() -> tuple[Any, Any]:
    """The policy with an older version, which had one field less and another in front, and how to write under it."""
    fields = [dict(each) for each in EVENT_TYPE.schema["fields"] if each["name"] != "registration_district"]
    extra = {"name": "remark", "type": ["null", "string"], "default": None, "doc": "x", "category": "plain"}
    schema = {**EVENT_TYPE.schema, "fields": [*fields[:3], extra, *fields[3:]]}
    made = policy()
    inbox = made.inboxes[0].model_copy(
        update={"writer_schemas": {str(_YEARS_AGO): schema, **made.inboxes[0].writer_schemas}}
    )
    return made.model_copy(update={"inboxes": (inbox,)}), fastavro.parse_schema(plain_schema(schema))


def under(schema: Any, record: dict[str, Any]) -> bytes:
    """The record as the older version has it."""
    out = BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return wire.header(_YEARS_AGO) + out.getvalue()


def sound() -> list[dict[str, Any]]:
    """Events of the first partition that nothing is said against."""
    events = [event(at, subject={"scheme": "nhs_number", "value": SUBJECTS[at % 4]}) for at in range(20)]
    return [each for each in events if partition_of(key(each), 2) == 0]


def held(world: HeldWorld, seed: int) -> tuple[dict[str, list[Any]], list[float]]:
    """Views that wait beside a feed that does not; with it how many events came to each of `OUTCOMES`."""
    publish(world, seed, 60)
    world.loop.drain(limit=37)
    counts = [world.metrics.value(metrics.EVENTS, "death-registered", outcome) for outcome in OUTCOMES]
    return all_topics(world), counts


def stopped(world: World) -> dict[str, list[Any]]:
    """A publisher that is stopped between two bursts."""
    publish(world, 3, 20)
    world.loop.drain()
    world.policy = policy(2, stopped=True)
    publish(world, 4, 20)
    world.loop.drain()
    return all_topics(world)


def failed(world: World, fate: Fate) -> dict[str, list[Any]]:
    """A batch that comes to `fate` and is decided again."""
    publish(world, 5, 40)
    world.loop.turn(limit=15)
    world.loop.turn(limit=15, fate=fate)
    world.loop.drain(limit=15)
    return all_topics(world)


def mixed(world: World, schema: Any, count: int) -> dict[str, list[Any]]:
    """Every second event by the older version's `schema`, some of them cut short."""
    for number in range(count):
        record = event(number, **CHANGES[number % len(CHANGES)])
        whole = under(schema, record | {"remark": "x"})
        cut = {"value": whole[:-1]} if number % 7 == 6 else {"value": whole}
        world.publish(record, **(cut if number % 2 else {}))
    world.loop.drain(limit=37)
    return all_topics(world)
