"""What all contenders read: simulated deaths, each with an id of its own, of one size, nobody protected, all of them
told to every agreement. So three views come of each event, and no contender has to know why one might not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from uuid import UUID

from benchmarks.broker import ADMIN
from benchmarks.site import EVENT_TYPE, Site
from producers.encode import Encoder, WireEvent
from producers.simulator import Settings, simulate
from tidings.kafka.produce import RecordProducer
from tidings.policy.model import Inbox

POOL = 60_000
"""So many different events; they come again in this order. More than the deduplication window: none is a repeat."""
_PEOPLE, _SIMULATED, _SEED = 50_000, 500, 7
_LINE_BYTES = 24
_ID, _RECORD, _SUBJECT = "00000000-0000-4000-8000-000000000000", "#########", "@@@@@@@@@"


def make_events(inbox: Inbox, size: int = 200, pool: int = POOL, *, subjects: bool = False) -> list[WireEvent]:
    """`pool` events of about `size` bytes, frame included: what is above about 200 is lines of an address that no
    agreement gives to anybody. The same ones each time. With `subjects` each is about somebody
    else, or else about 500 people: so that keys fall into every partition."""
    (schema_id,) = map(int, inbox.writer_schemas)
    encoder = Encoder(inbox.agency, inbox.event_type, schema_id, inbox.reader_schema)
    random = Random(_SEED)  # noqa: S311 -- made-up people, the same ones each time
    deaths = _plain_deaths(min(pool, _SIMULATED))
    people = [encoder.encode(_padded(_nobody(event) if subjects else event, size, encoder)) for event in deaths]
    made = []
    for number in range(pool):
        like = people[number % len(people)]
        event_id = str(UUID(int=random.getrandbits(128), version=4)).encode()
        value = (like.value or b"").replace(_ID.encode(), event_id).replace(_RECORD.encode(), b"%09d" % number)
        key = (like.key or b"").replace(_SUBJECT.encode(), b"%09d" % number)
        made.append(WireEvent(like.topic, key, value.replace(_SUBJECT.encode(), b"%09d" % number)))
    return made


def _plain_deaths(amount: int) -> Iterator[dict[str, Any]]:
    settings = Settings(_SEED, _PEOPLE, bad_share=0, duplicate_share=0, only=frozenset({EVENT_TYPE}))
    found = 0
    for each in simulate(amount * 2, settings):
        event = each.event
        if event["change"] == "CREATED" and event["protection"] == "NONE" and found < amount:
            found += 1
            home = event["usual_residence"]
            yield {
                **event,
                "event_id": _ID,
                "record_id": _RECORD,
                "source": {**event["source"], "system": "gro", "ref": _RECORD},
                "usual_residence": {**home, "lines": home["lines"][:1]},
                "registration_district": None,
                "registered_on": None,
                "cause_of_death": "I21.9",
            }


def _nobody(event: dict[str, Any]) -> dict[str, Any]:
    """The event with a subject to be filled in."""
    return {**event, "subject": {"scheme": "simulated_person", "value": _SUBJECT}}


def _padded(event: dict[str, Any], size: int, encoder: Encoder) -> dict[str, Any]:
    missing = size - len(encoder.encode(event).value or b"")
    if missing < _LINE_BYTES:
        return event
    lines = [f"{number:0{_LINE_BYTES - 1}}" for number in range(missing // _LINE_BYTES)]
    place = {"use": "PLACE", "lines": lines, "postcode": None, "country": None, "period": None}
    return {**event, "place_of_death": place}


def fill(made: Site, pool: Sequence[WireEvent], amount: int | None = None) -> None:
    """Put `amount` events into the inbox, the pool over and over, as fast as they go; the pool once without it."""
    producer = RecordProducer(made.cluster, ADMIN)
    for number in range(len(pool) if amount is None else amount):
        record = pool[number % len(pool)]
        producer.send(record.topic, record.key, record.value, lambda _error: None)
    producer.flush()
