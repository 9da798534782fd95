"""What the extension writes of an event that stands as JSON is what the encoder writes, and nothing is found in it."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.encode import Encoder
from producers.inbox_writer import inbox_writer
from producers.publisher import EventPublisher
from producers.simulator import Settings, simulate
from tests.producers.outbox.kit import CATALOGUE, NOWHERE, NoSender
from tests.producers.test_generate_writer import ANYTHING, SAMPLES, places
from tidings.clock import StillClock
from tidings.errors import Reject
from tidings.projection.native import NativeWriter

NOW_MS = 1_800_000_000_000
MAX_BYTES = 1_000_000
TYPES = CATALOGUE.event_types
IDS = dict.fromkeys(TYPES, 7)
PUBLISHERS = {
    owner: EventPublisher(
        NOWHERE, owner, catalogue=CATALOGUE, schema_ids=IDS, clock=StillClock(NOW_MS), sender=NoSender()
    )
    for owner in {each.owner for each in TYPES.values()}
}
PIECES = [b'""', *b'"|,|{|}|null|-0|1e3|1.0|\xff|\\ud800|"x":1,| \n|99999999999999999999'.split(b"|")]
ENCODERS = {name: Encoder(each.owner, name, 7, each.schema) for name, each in TYPES.items()}

pytestmark = pytest.mark.skipif(
    inbox_writer(TYPES["death-registered"], NOWHERE.environment.value, 7) is None,
    reason="the native extension is not built, or has no writer",
)


@cache
def native(name: str) -> NativeWriter:
    """The extension's writer of an event type."""
    made = inbox_writer(TYPES[name], NOWHERE.environment.value, 7)
    assert made is not None
    return made


def by_python(name: str, text: bytes) -> tuple[bytes | None, bytes | None] | None:
    """Key and value by the encoder; None where anything is found, or it is no such event."""
    try:
        event = orjson.loads(text)
        if not isinstance(event, dict):
            return None
        record = ENCODERS[name].encode(event)
        return None if PUBLISHERS[TYPES[name].owner].check(name, event) else (record.key, record.value)
    except (Reject, orjson.JSONDecodeError):
        return None


def hold(name: str, text: bytes) -> None:
    """Assert that the extension leaves `text` to Python, or writes what Python writes."""
    [written] = native(name).write([text], NOW_MS, MAX_BYTES)
    assert written is None or written == by_python(name, text)


@st.composite
def mutants(draw: st.DrawFn) -> tuple[str, Any]:
    """A sample with one value replaced by anything or by another of its values, missing, or under another name."""
    name, sample = draw(st.sampled_from(SAMPLES))
    event = copy.deepcopy(sample)
    container, key = draw(st.sampled_from(places(event)))
    match draw(st.sampled_from(["replace", "swap", "drop", "rename", "turn"])):
        case "replace":
            container[key] = draw(ANYTHING)
        case "swap":
            other, at = draw(st.sampled_from(places(sample)))
            container[key] = other[at]
        case "drop":
            del container[key]
        case "rename" if isinstance(container, dict):
            container[draw(st.text(max_size=5))] = container.pop(key)
        case _ if isinstance(container, dict):
            container[key] = container.pop(key)
    return name, event


@given(mutants(), st.booleans(), st.sampled_from([None, 1]))
def test_it_writes_what_the_encoder_writes(mutant: tuple[str, Any], escaped: bool, indent: int | None) -> None:
    """Whatever is in an event, in whatever order, however its JSON is written."""
    name, event = mutant
    hold(name, json.dumps(event, ensure_ascii=escaped, indent=indent).encode("utf-8", "surrogatepass"))


@given(st.data())
def test_it_takes_no_text_that_is_no_json(data: st.DataObject) -> None:
    """A text with a piece replaced, cut or doubled is written as Python reads it, or not at all."""
    name, sample = data.draw(st.sampled_from(SAMPLES))
    text = json.dumps(sample).encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    piece = data.draw(st.sampled_from([*PIECES, text[start:end] * 2]))
    hold(name, text[:start] + piece + text[end:])


@pytest.mark.parametrize("name", sorted(TYPES))
def test_sound_events_are_written_by_it(name: str) -> None:
    """Simulated events in which nothing is found, their fields in any order, with or without their nulls, need no
    Python."""
    settings = Settings(seed=5, people=2_000, bad_share=0, only=frozenset({name}))
    for each in simulate(20, settings):
        backwards = dict(reversed(each.event.items()))
        for form in (each.event, backwards, {field: value for field, value in each.event.items() if value is not None}):
            text = orjson.dumps(form)
            expected = by_python(name, text)
            assert native(name).write([text], NOW_MS, MAX_BYTES) == [expected]


def test_what_is_left_to_python_stands_in_its_place() -> None:
    """Nothing, what is no event, and what has too many bytes."""
    event = next(simulate(1, Settings(people=2_000, bad_share=0, only=frozenset({"death-registered"}))))
    text = orjson.dumps(event.event)
    writer = native("death-registered")
    [sound] = writer.write([text], NOW_MS, MAX_BYTES)
    assert sound is not None
    size = sum(map(len, sound))

    assert writer.write([None, text, b"{}", text], NOW_MS, size) == [None, sound, None, sound]
    assert writer.write([text], NOW_MS, size - 1) == [None]
