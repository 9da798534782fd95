"""The table of contenders, and what is held against what, without a broker."""

from __future__ import annotations

import pytest

from benchmarks.contender import contenders
from benchmarks.contenders._by_hand import views_by_hand
from benchmarks.expected import Differs, Expected, expected_views
from benchmarks.input import make_events
from benchmarks.site import Views, make_policy
from benchmarks.task import Task, read_task
from benchmarks.tasks import view_task
from producers.encode import WireEvent
from tidings.keys import KeyRing
from tidings.log import InboxRecord

NAMES = ["floor", "tidings-native", "tidings-native-bare", "tidings-python", "tidings-reference", "fastavro-loop"]
NAMES += ["quix", "faust", "kafka-streams"]


@pytest.fixture(scope="module")
def made() -> Views:
    """Three views of one inbox."""
    keys = KeyRing(bytes(32))
    return Views(make_policy(keys, agreements=3, partitions=1), keys)


@pytest.fixture(scope="module")
def pool(made: Views) -> list[WireEvent]:
    """A few events."""
    return make_events(made.inbox, pool=40)


@pytest.fixture(scope="module")
def expected(made: Views, pool: list[WireEvent]) -> list[Expected]:
    """Their views."""
    return expected_views(made, pool)


def by_hand(made: Views, pool: list[WireEvent], expected: list[Expected]) -> list[list[InboxRecord]]:
    """What the peers' code makes of the pool, feed by feed."""
    views = tuple(view_task(view, made.keys, each) for view, each in zip(made.views, expected, strict=True))
    make = views_by_hand(Task("", "", "", "plain", "", {}, "", made.inbox.reader_schema, views, 1, 1, ""))
    rows = [make(event.value) for event in pool]
    return [[InboxRecord("", 0, at, 0, row[n][1], row[n][2]) for at, row in enumerate(rows)] for n in range(3)]


def test_they_are_found_by_their_files() -> None:
    """Every contender of the issue is there, in the table's order."""
    assert list(contenders()) == NAMES


def test_the_peers_code_makes_the_exchanges_views(made: Views, pool: list[WireEvent], expected: list[Expected]) -> None:
    """Written by hand, and the same bytes."""
    for records, wanted in zip(by_hand(made, pool, expected), expected, strict=True):
        assert wanted.check(records) == len(pool)


def test_another_view_is_noticed(made: Views, pool: list[WireEvent], expected: list[Expected]) -> None:
    """One byte of one view, or one key, and the check fails."""
    (records, *_), (wanted, *_) = by_hand(made, pool, expected), expected
    value = records[7].value
    assert value is not None
    for spoilt in ({"value": value[:-2] + bytes([value[-2] ^ 1]) + value[-1:]}, {"key": b"another"}):
        changed = [*records[:7], records[7]._replace(**spoilt), *records[8:]]
        with pytest.raises(Differs, match="record 8"):
            wanted.check(changed)


@pytest.mark.parametrize(("size", "least"), [(1_000, 950), (10_000, 9_950)])
def test_events_have_the_size_asked_for(made: Views, size: int, least: int) -> None:
    """What no agreement gives away fills them."""
    sizes = [len(event.value or b"") for event in make_events(made.inbox, size, pool=40)]
    assert least <= min(sizes) <= max(sizes) <= size + 60


def test_a_task_is_read_as_it_was_written(made: Views, expected: list[Expected], tmp_path: object) -> None:
    """By whoever may read it: its owner."""
    from pathlib import Path

    views = tuple(view_task(view, made.keys, each) for view, each in zip(made.views, expected, strict=True))
    task = Task("floor", "g", "d", "plain", "", {"a": "b"}, "i", {}, views, 1, 1, "")
    path = task.write(Path(str(tmp_path)) / "task.json")
    assert read_task(path) == task
    assert path.stat().st_mode & 0o077 == 0
