"""No clear value anywhere but in the feeds whose agreements allow it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stream_processors.batch import Batch
from stream_processors.compiled import compile_policy
from stream_processors.mask import mask
from stream_processors.validate import validate
from tests.stream_processors.accounts import entries
from tests.stream_processors.world import (
    BENEFITS,
    ENDED,
    INBOX,
    STATISTICS,
    SUBJECTS,
    World,
    day,
    event,
    policy,
    reference,
    value,
)
from tidings.deduplication import Sighting
from tidings.errors import Reject
from tidings.log import InboxRecord, Partition

MARK = "MARKEDVALUE"


def marked() -> dict[str, Any]:
    """An event with a marked value in every text field of head and body that takes free text."""
    names = [{"use": "OFFICIAL", "prefix": f"{MARK}p", "given": [f"{MARK}g"], "family": f"{MARK}f", "suffix": MARK}]
    place = {"use": "HOME", "lines": [f"{MARK}l"], "postcode": f"{MARK}c", "country": f"{MARK}k"}
    dated = day(1941, 2, 3) | {"text": f"{MARK}t"}
    return event(
        1,
        reason=f"{MARK}r",
        record_id=f"{MARK}i",
        occurred_on=dated | {"year": 2026},
        source={"agency": "gro", "system": f"{MARK}s", "ref": f"{MARK}ref", "batch_id": f"{MARK}b"},
        identifiers=[{"scheme": f"{MARK}n", "value": f"{MARK}v", "verified": None}],
        related=[
            {
                "role": f"{MARK}o",
                "subject": {"scheme": f"{MARK}n", "value": f"{MARK}w"},
                "names": names,
                "date_of_birth": dated,
            }
        ],
        deceased={
            "names": names,
            "aliases": names,
            "alias_types": [MARK],
            "maiden_names": [f"{MARK}m"],
            "date_of_birth": dated,
            "date_of_birth_text": MARK,
            "date_of_death_text": MARK,
            "place_of_birth": place,
            "occupation": f"{MARK}j",
        },
        usual_residence=place,
        place_of_death=place,
        cause_of_death=f"{MARK}d",
        informant={"names": names, "relationship": f"{MARK}x", "address": place},
        registration_district=f"{MARK}y",
    )


def variants() -> Iterator[dict[str, Any]]:
    """The marked event accepted with flags, annulled, refused for its checks, its framing and its bytes."""
    yield {"record": marked()}
    yield {"record": marked() | {"change": "ANNULLED", "event_id": event(2)["event_id"]}}
    yield {"record": marked() | {"event_id": event(3)["event_id"], "environment": "LIVE"}}
    yield {"record": marked() | {"event_id": event(4)["event_id"], "occurred_on": day(2026, 2, 31)}}
    yield {"record": marked(), "value": value(marked() | {"event_id": event(5)["event_id"]})[:-1]}
    yield {"record": marked() | {"event_id": f"{MARK}".ljust(36, "x")}}
    yield {"record": marked(), "value": MARK.encode()}


def decided() -> World:
    """A world that has decided all variants, accepted and refused."""
    world = World(policy(views=(BENEFITS, STATISTICS, ENDED)))
    for sent in variants():
        world.publish(**sent)
    world.loop.drain()
    return world


def test_only_an_allowed_feed_holds_a_marked_value(caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    """Decisions, nonces, notices, quarantine, keys, logs and output: none holds a value or its subject."""
    world = decided()
    assert {entry.outcome.accepted for entry in entries(world).values()} == {True, False}
    clear = (MARK.encode(), SUBJECTS[1].encode())
    for topic in world.log.topics() - {INBOX}:
        for record in world.log.all(topic):
            assert not any(each in (record.key or b"") for each in clear), topic
            if topic not in {BENEFITS.feed, STATISTICS.feed, ENDED.feed}:
                assert not any(each in (record.value or b"") for each in clear), topic
    output = capfd.readouterr()
    assert MARK not in caplog.text + output.out + output.err


def test_a_feed_holds_only_the_marked_values_that_its_agreement_names() -> None:
    """Names go to the benefit agency; street, cause of death, source and related people do not."""
    world = decided()
    found = {
        letter
        for record in world.log.all(BENEFITS.feed)
        for letter in ("f", "l", "d", "s", "w", "m", "j", "x", "y", "r", "i")
        if f"{MARK}{letter}".encode() in (record.value or b"")
    }

    assert found <= {"f"}


def test_no_repr_or_error_holds_a_value() -> None:
    """What a debugger, a log or an unexpected traceback might print of the stages' nouns says nothing."""
    compiled = compile_policy(policy(), reference).of(INBOX)
    record = InboxRecord(INBOX, 0, 0, 0, f"nhs_number:{SUBJECTS[1]}".encode(), value(marked()))
    batch = Batch(Partition(INBOX, 0), [record], [Sighting.NEW])
    judged = validate(batch, compiled, 1_780_315_200_000)
    masked = mask(judged, compiled, 1_780_315_200_000)
    with pytest.raises(Reject) as refusal:
        compiled.projector.scan(7, value(marked())[5:-1])

    for text in (repr(batch), repr(judged), repr(masked.judged), repr(masked.columns[0].projected), str(refusal.value)):
        assert MARK not in text
        assert SUBJECTS[1] not in text
