"""A publisher with the extension and one without: the same records, the same flags, the same refusals."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.publisher import EventPublisher
from tests.producers.outbox.kit import CATALOGUE, NOWHERE
from tests.producers.test_generate_writer import ANYTHING, SAMPLES, changed_samples
from tidings.checks import FolderLists
from tidings.clock import StillClock
from tidings.errors import Reject, TidingsError
from tidings.projection.native import native_version

TYPES = CATALOGUE.event_types
CLOCK = StillClock(1_800_000_000_000)
Sent = list[tuple[Any, ...]]

pytestmark = pytest.mark.skipif(native_version() is None, reason="the native extension is not built")


class Kept:
    """A sender that keeps what is sent."""

    def __init__(self) -> None:
        self.records: Sent = []

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, delivered: Callable[[TidingsError | None], None]
    ) -> None:
        """See `Sender`."""
        del delivered
        self.records.append((topic, key, value))

    def flush(self) -> None:
        """See `Sender`."""


class Word(str, Enum):  # noqa: UP042 -- a text, as agencies' code has them
    """A symbol and a text at once."""

    USUAL = "USUAL"
    CREATED = "CREATED"


class Number(IntEnum):
    """A number with a name."""

    YEAR = 2024


# What a program may have in its hands and no JSON has.
ODD = ANYTHING | st.sampled_from(
    [
        (),
        ("x",),
        b"x",
        UUID(int=7),
        Word.USUAL,
        Word.CREATED,
        Number.YEAR,
        Decimal(1),
        {1: 2},
        {None: 1, "year": 2024},
        OrderedDict(year=2024),
        float("nan"),
        float("inf"),
        "\ud800",
        frozenset({"use"}),
        2.0,
    ]
)


def publisher(name: str, **options: Any) -> tuple[EventPublisher, Kept]:
    """The event type's owner, with what it sends."""
    kept = Kept()
    ids = dict.fromkeys(TYPES, 7)
    made = EventPublisher(
        NOWHERE, TYPES[name].owner, catalogue=CATALOGUE, schema_ids=ids, clock=CLOCK, sender=kept, **options
    )
    return made, kept


WITH = {name: publisher(name) for name in TYPES}
WITHOUT = {name: publisher(name, lists=FolderLists()) for name in TYPES}


def outcome(made: tuple[EventPublisher, Kept], name: str, event: Mapping[str, Any]) -> tuple[Any, Sent]:
    """Flags, or why it is refused, or what kind of error it is; and what was sent."""
    publishing, kept = made
    kept.records.clear()
    said: Any
    try:
        said = publishing.publish(name, event)
    except Reject as refusal:
        said = ("refused", refusal.findings)
    except (TypeError, AttributeError, ValueError, LookupError) as defect:
        said = type(defect)
    return said, list(kept.records)


@given(st.data())
def test_the_extension_changes_nothing(data: st.DataObject) -> None:
    """With one value anywhere replaced by anything that Python has, or missing, both send the same bytes, flag the
    same, and refuse for the same reasons."""
    name, event = data.draw(changed_samples(ODD))

    assert outcome(WITH[name], name, event) == outcome(WITHOUT[name], name, event)


def test_samples_need_no_python() -> None:
    """What passes without a flag is written by the extension, for every event type."""
    natively = set()
    for name, event in SAMPLES:
        said, records = outcome(WITHOUT[name], name, event)
        made = WITH[name][0].sound(name, event)
        if made is not None:
            assert (said, records) == ((), [(made.topic, made.key, made.value)])
            natively.add(name)

    assert natively == set(TYPES)


def test_what_holds_itself_is_left_to_python() -> None:
    """No event does; nothing is written of it."""
    name, sample = SAMPLES[0]
    event = copy.deepcopy(sample)
    event["related"] = [event]

    assert WITH[name][0].sound(name, event) is None


def test_lists_of_ones_own_are_asked() -> None:
    """The extension has the catalogue's: where a publisher brings its own it is not asked."""
    for name, event in SAMPLES:
        assert WITHOUT[name][0].sound(name, event) is None
