"""What every source connector must hold when a run ends in the middle, by whatever hand: the next says the same."""

from __future__ import annotations

import io
import itertools
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import pytest

from connectors import SOURCES
from connectors.sources.base import Outcome, SourceRecord
from producers.publisher import EventPublisher
from tests.compliance.sources import AGENCIES, SAMPLES, connector, context, read
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.errors import Retriable, TidingsError
from tidings.kafka.cluster import Cluster
from tidings.policy.model import Environment

ALL = sorted(SOURCES)
CATALOGUE = load_catalogue(default_catalogue_dir())


class Slow(io.RawIOBase):
    """A file that gives a few bytes at a time, and breaks at `breaks_at`."""

    def __init__(self, content: bytes, breaks_at: int | None = None) -> None:
        self._content, self._breaks_at, self._at = content, breaks_at, 0

    def readable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def readinto(self, buffer: Any) -> int:
        """At most seven bytes. Raises OSError at the break."""
        if self._breaks_at is not None and self._at >= self._breaks_at:
            raise OSError("the disk is gone")
        part = self._content[self._at : self._at + min(7, len(buffer))]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def slowly(content: bytes, breaks_at: int | None = None) -> BinaryIO:
    """A slow file as a connector is given one."""
    return cast("BinaryIO", io.BufferedReader(Slow(content, breaks_at), 16))


@pytest.mark.parametrize("name", ALL)
def test_a_run_that_ends_in_the_middle_is_begun_again(name: str) -> None:
    """Wherever a reader stops, the next run of the same connector starts at the first record and says the same."""
    whole, one = read(name, SAMPLES[name]), connector(name)
    for stop in range(len(whole) + 1):
        outcomes = iter(one.read(io.BytesIO(SAMPLES[name]), context(name)))

        assert list(itertools.islice(outcomes, stop)) == whole[:stop]
        outcomes.close()  # type: ignore[attr-defined]
        assert list(one.read(io.BytesIO(SAMPLES[name]), context(name))) == whole


@pytest.mark.parametrize("name", ALL)
def test_two_files_at_once_do_not_mix(name: str) -> None:
    """A connector keeps nothing of a file outside its reading: two read in turns say what each says alone."""
    whole, one = read(name, SAMPLES[name]), connector(name)
    both = zip(*(one.read(io.BytesIO(SAMPLES[name]), context(name)) for _ in range(2)), strict=True)

    assert list(both) == [(each, each) for each in whole]


@pytest.mark.parametrize("name", ALL)
def test_a_slow_file_is_the_same_file(name: str) -> None:
    """A file that comes in crumbs says what it says in one piece."""
    assert list(connector(name).read(slowly(SAMPLES[name]), context(name))) == read(name, SAMPLES[name])


@pytest.mark.parametrize("name", ALL)
def test_a_file_that_breaks_says_so(name: str) -> None:
    """An error of the disk passes through, is no refusal of a record, and what came before it stands."""
    whole = read(name, SAMPLES[name])
    for breaks_at in range(0, len(SAMPLES[name]), len(SAMPLES[name]) // 7):
        outcomes: list[Outcome] = []
        reading = connector(name).read(slowly(SAMPLES[name], breaks_at), context(name))
        with pytest.raises(OSError, match="the disk is gone"):
            outcomes.extend(reading)

        assert outcomes == whole[: len(outcomes)]


class Broker:
    """A broker that takes `room` records and is then away. Keeps the values by event id."""

    def __init__(self) -> None:
        self.room = 0
        self.values: dict[str, set[bytes]] = {}

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, delivered: Callable[[TidingsError | None], None]
    ) -> None:
        """See `producers.publisher.Sender`."""
        del key
        if self.room == 0:
            raise Retriable("the broker is away")
        self.room -= 1
        assert value is not None
        self.values.setdefault(f"{topic}/{value[6:42].decode()}", set()).add(value)
        delivered(None)

    def flush(self) -> None:
        """See `producers.publisher.Sender`."""


@pytest.mark.parametrize("name", ALL)
def test_a_broker_that_goes_away(name: str, tmp_path: Any) -> None:
    """Published in as many runs as there are failures, each from the file's start, every event has one id with one
    value: the exchange takes it once."""
    broker, agency = Broker(), AGENCIES[name]
    nowhere = Cluster(
        bootstrap_servers="", ca_file=tmp_path, credentials_dir=tmp_path, keys_file=tmp_path,
        environment=Environment.SYNTHETIC,
    )  # fmt: skip
    ids = dict.fromkeys(CATALOGUE.event_types, 7)
    events = [each for each in read(name, SAMPLES[name]) if isinstance(each, SourceRecord)]
    for room in range(len(events) + 1):
        broker.room = room
        publisher = EventPublisher(nowhere, agency, catalogue=CATALOGUE, schema_ids=ids, sender=broker)
        sent = 0
        try:
            for each in connector(name).read(io.BytesIO(SAMPLES[name]), context(name)):
                if isinstance(each, SourceRecord):
                    publisher.publish(each.event_type, each.event)
                    sent += 1
        except Retriable:
            assert sent == room < len(events)
    assert len(broker.values) == len(events)
    assert {len(values) for values in broker.values.values()} == {1}


READER = """
import io, sys
from tests.compliance.sources import SAMPLES, connector, context
from connectors.sources.base import SourceRecord
while True:
    for name in sorted(SAMPLES):
        for each in connector(name).read(io.BytesIO(SAMPLES[name]), context(name)):
            if isinstance(each, SourceRecord):
                print(name, each.event["event_id"], flush=True)
"""


def test_kill_9() -> None:
    """A process that is killed while it reads leaves nothing that the next one reads: the ids are the same."""
    ids = [
        f"{name} {each.event['event_id']}"
        for name in sorted(SAMPLES)
        for each in read(name, SAMPLES[name])
        if isinstance(each, SourceRecord)
    ]
    with subprocess.Popen([sys.executable, "-c", READER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().rstrip("\n") for _ in range(len(ids) + 2)]
        process.kill()
        assert process.wait(30) == -signal.SIGKILL

    assert said == ids + ids[:2]
