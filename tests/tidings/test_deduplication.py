"""The deduplication window equals its definition."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings import wire
from tidings.deduplication import Sighting, Window, event_id_of
from tidings.log import InboxRecord

ID = "6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"


def record(offset: int, number: int, tail: bytes = b"", key: bytes | None = b"k") -> InboxRecord:
    """A record whose event id is made of `number`; none for a negative one."""
    body = wire.zigzag(36) + str(uuid.UUID(int=number)).encode() + tail if number >= 0 else b"no id"
    return InboxRecord("inbox.a.b", 0, offset, 0, key, wire.header(1) + body)


def naive(log: list[InboxRecord], at: int, size: int) -> Sighting:
    """The definition, word for word."""
    me = log[at]
    mine = event_id_of(me.value)
    standing = [
        each for each in log[:at] if me.offset - size <= each.offset < me.offset and event_id_of(each.value) == mine
    ]
    if mine is None or not standing:
        return Sighting.NEW
    same = any((each.key, each.value) == (me.key, me.value) for each in standing)
    return Sighting.DUPLICATE if same else Sighting.REUSED


RECORDS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(-1, 4), st.sampled_from([b"", b"x"]), st.sampled_from([b"k", None])),
    max_size=60,
)


@given(RECORDS, st.integers(0, 8), st.lists(st.sampled_from(["commit", "abort", "rebuild"]), min_size=1))
def test_the_window_equals_its_definition(
    steps: list[tuple[int, int, bytes, bytes | None]], size: int, ends: list[str]
) -> None:
    """For any log, gaps included, any batches, aborts and rebuilds, each record is judged as the definition says."""
    log: list[InboxRecord] = []
    offset = 0
    for gap, number, tail, key in steps:
        offset += gap
        log.append(record(offset, number, tail, key))
    window, done, turn = Window(size), 0, 0
    while done < len(log):
        batch = range(done, min(done + 1 + turn % 4, len(log)))
        assert [window.see(log[at]) for at in batch] == [naive(log, at, size) for at in batch]
        end = ends[turn % len(ends)]
        turn += 1
        if end == "abort" and turn % 2:
            window.abort()
            continue
        window.commit()
        done = batch.stop
        if end == "rebuild" and done < len(log):
            window = Window(size)
            window.load(log[:done], log[done - 1].offset + 1)
    assert len(window) <= size


def test_a_window_that_is_enlarged_and_loaded_judges_by_its_new_size() -> None:
    """A policy may change W: after a load the definition holds for the new one."""
    log = [record(offset, offset % 5) for offset in range(20)]
    window = Window(2)
    window.load(log, 20)
    window.size = 5
    window.load(log, 20)

    assert window.see(record(20, 0)) is Sighting.DUPLICATE


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (b"", None),
        (wire.header(1) + b"\x48" + ID.encode(), ID),
        (wire.header(9) + b"\x48" + ID.upper().encode() + b"rest", ID),
        (b"\x01" + bytes(4) + b"\x48" + ID.encode(), None),
        (wire.header(1) + b"\x4a" + ID.encode() + b"0", None),
        (wire.header(1) + b"\x48" + ID.replace("-", "_").encode(), None),
        (wire.header(1) + b"\x48" + ID[:35].encode(), None),
        (wire.header(1) + b"\x48" + ("g" + ID[1:]).encode(), None),
        (wire.header(1) + b"\x48" + "\uff16f1e2d3c-4b5a-4978-8695-a4b3c2d1e0".encode(), None),
    ],
)
def test_an_event_id_is_read_from_bytes_alone(value: bytes | None, expected: str | None) -> None:
    """A frame, a length of 36, a uuid: anything else has no id."""
    assert expected == event_id_of(value)
