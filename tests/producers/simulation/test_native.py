"""What the extension writes of simulated facts is what Python writes, byte for byte."""

from __future__ import annotations

import copy
import io
from array import array
from collections import defaultdict
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.simulation import container, telling
from producers.simulation.container import Framed, frame, merge, python_frame, python_merge
from producers.simulation.native import extension
from producers.simulation.people import FIRST, STATE, STRIDE, People, fictional_key, populate
from producers.simulation.pieces import FIRST_MS, LAST_MS
from producers.simulation.rates import rates
from producers.simulation.rows import Note, Row
from producers.simulation.settings import Settings
from producers.simulation.shapes import EVENT_TYPES, Shape, shapes
from producers.simulation.telling import RANDOM_BYTES, Due, Told, native_teller, python_teller
from producers.simulator import write_container

pytestmark = pytest.mark.skipif(extension() is None, reason="the native extension is not built, or has no teller")

SHAPES = [*shapes("SYNTHETIC").values()]
PIECE = st.binary(max_size=40)
AMOUNT = 300
START_MS = 1 << 40
COUNTY = 7
SETTINGS = Settings(seed=5, people=2_000)


@cache
def people() -> People:
    """A county's people, of whom one goes by another id; the last ones are beyond the county's NHS numbers."""
    found = populate(COUNTY, AMOUNT, 1, 2012, rates())
    found.replace_key(FIRST, fictional_key(COUNTY, 900_000_001))
    for at in range(STRIDE * 10, STRIDE * 20, STRIDE):
        found.of[at + STATE] |= 4 if at & STRIDE else 8
    found.of.extend(array("I", bytes(4 * STRIDE)) * 125_000)
    return found


def a_fact(shape: Shape) -> st.SearchStrategy[Told]:
    """A fact of a shape, with any bytes for pieces."""
    return st.tuples(
        st.integers(0, AMOUNT + 20).map(lambda at: at * STRIDE if at < AMOUNT else (at + 124_900) * STRIDE),
        st.integers(FIRST_MS, LAST_MS - 10_000),
        PIECE,
        st.tuples(*[PIECE] * len(shape.body)),
        PIECE,
        PIECE,
    )


@st.composite
def told(draw: st.DrawFn) -> tuple[Shape, int, list[Told], bytes]:
    """What a teller is given. Of the words some mean a wrong fact, more than at random."""
    shape = draw(st.sampled_from(SHAPES))
    facts = draw(st.lists(a_fact(shape), max_size=3))
    random = bytearray(draw(st.binary(min_size=RANDOM_BYTES * len(facts), max_size=RANDOM_BYTES * len(facts))))
    for at in range(len(facts)):
        if draw(st.booleans()):
            random[8 * at + 1] |= 15
    return shape, draw(st.integers(0, 99_999_990)), facts, bytes(random)


def test_a_country(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container is the same whether the extension is built or not."""
    natively, python = io.BytesIO(), io.BytesIO()
    write_container(natively, 300, SETTINGS, 1, lambda _done: None)
    for module in (telling, container):
        monkeypatch.setattr(module, "extension", lambda: None)
    write_container(python, 300, SETTINGS, 1, lambda _done: None)

    assert natively.getvalue() == python.getvalue()


@given(told())
def test_facts(given_: tuple[Shape, int, list[Told], bytes]) -> None:
    """Both tellers put the same rows into the same days, and leave the same facts to be told wrongly."""
    native, python = [defaultdict[int, list[Row]](list) for _ in range(2)]
    tell = native_teller(extension().Teller, people(), SHAPES, START_MS, native)

    assert tell(*given_) == python_teller(people(), START_MS, python)(*given_)
    assert native == python


def test_what_does_not_fit_is_refused() -> None:
    """Pieces that are too few, and random bytes that are too few, are errors and no rows."""
    due: Due = defaultdict(list)
    tell = native_teller(extension().Teller, people(), SHAPES, 0, due)
    fact = (0, START_MS, b"", (), b"", b"")

    with pytest.raises(ValueError, match="slots"):
        tell(SHAPES[0], 0, [fact], bytes(RANDOM_BYTES))
    with pytest.raises(ValueError, match="random"):
        tell(SHAPES[0], 0, [fact], b"")
    with pytest.raises(IndexError):
        tell(SHAPES[0], 0, [(1 << 40, *fact[1:])], b"\xff" * RANDOM_BYTES)
    assert not due


NOTES = st.one_of(
    st.none(),
    st.builds(
        Note,
        st.sampled_from(["accepted", "rejected", "duplicate"]),
        st.lists(st.text(max_size=5), max_size=2).map(tuple),
        fault=st.none() | st.text(max_size=5),
        raw=st.none() | st.tuples(st.none() | PIECE, st.none() | PIECE),
    ),
)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 1 << 44),
        st.integers(0, len(EVENT_TYPES) - 1),
        PIECE,
        PIECE | st.integers(4080, 4100).map(bytes),
        NOTES,
    ),
    max_size=5,
)


@given(ROWS)
def test_records(rows: list[Row]) -> None:
    """Rows are framed alike, those of which there is something to note too."""
    assert frame(copy.copy(rows)) == python_frame(rows)


@given(st.lists(ROWS, min_size=2, max_size=3))
def test_merging(weeks: list[list[Row]]) -> None:
    """Records of several processes come in the same order; of one time, in that of the processes."""
    framed = [python_frame(rows) for rows in weeks]

    assert merge(framed) == python_merge(framed)


def test_lengths_that_are_too_long_are_refused() -> None:
    """A length beyond the records is an error."""
    with pytest.raises(ValueError, match="lengths"):
        merge([Framed(array("Q", [1]), array("I", [9]), b"short")] * 2)
