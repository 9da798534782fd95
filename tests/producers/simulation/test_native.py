"""What the extension writes of simulated facts is what Python writes, byte for byte."""

from __future__ import annotations

import dataclasses
import io
from array import array
from collections.abc import Callable, Mapping
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.simulation import container, crowd, due, telling
from producers.simulation.container import Framed, frame, merge, python_frame, python_merge
from producers.simulation.county import LAST_DAY
from producers.simulation.crowd import CROWD_DRAW_BYTES, DRAW_BYTES, Cells, Draws, native_crowd
from producers.simulation.due import Due, PythonDue, PythonRows, Received
from producers.simulation.life import Life
from producers.simulation.mending import MORE_BYTES
from producers.simulation.moves import change_practice, move_crowd
from producers.simulation.native import extension
from producers.simulation.people import (
    FIRST,
    GONE,
    NHS_OF_COUNTY,
    RARE_SEX,
    STATE,
    STRIDE,
    People,
    fictional_key,
    populate,
)
from producers.simulation.people import HOME as HOME_NUMBER
from producers.simulation.pieces import FIRST_MS, words
from producers.simulation.portraits import Body, Portraits
from producers.simulation.rates import DAY_MS, rates
from producers.simulation.records import change_record
from producers.simulation.rows import Note, Row
from producers.simulation.scribe import Scribe
from producers.simulation.settings import Settings
from producers.simulation.shapes import (
    BIRTH,
    CHILD,
    EVENT_TYPES,
    HEAD_SLOTS,
    HOME,
    NAME,
    PERSON,
    PIECE,
    PRACTICE,
    Shape,
    shapes,
)
from producers.simulation.telling import RANDOM_BYTES, NativeTeller, PythonTeller, Told
from producers.simulator import write_container

pytestmark = pytest.mark.skipif(extension() is None, reason="the native extension is not built, or has no teller")

SHAPES = [*shapes("SYNTHETIC").values()]
A_PIECE = st.binary(max_size=40)
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
    for at in range(STRIDE * 20, STRIDE * 30, STRIDE):
        found.of[at + STATE] |= RARE_SEX
    found.of.extend(found.of[: STRIDE * AMOUNT] * (NHS_OF_COUNTY // AMOUNT + 1))
    return found


A_PERSON = st.integers(0, AMOUNT + 20).map(lambda at: at * STRIDE if at < AMOUNT else (at + NHS_OF_COUNTY) * STRIDE)
"""One of the county's first people, or one beyond its NHS numbers."""


PARTS: Mapping[int, st.SearchStrategy[bytes | int]] = {
    PIECE: A_PIECE,
    PERSON: A_PERSON.map(lambda at: people().of[at : at + HOME_NUMBER + 1].tobytes()),
    CHILD: A_PERSON.map(lambda at: people().of[at : at + HOME_NUMBER + 1].tobytes()),
    NAME: A_PERSON.map(lambda at: people().of[at : at + HOME_NUMBER + 1].tobytes()),
    BIRTH: A_PERSON.map(lambda at: people().of[at : at + HOME_NUMBER + 1].tobytes()),
    HOME: st.integers(0, (1 << 32) - 1),
    PRACTICE: st.integers(0, (1 << 32) - 1),
}


RELATED = st.lists(st.tuples(A_PIECE, A_PERSON, PARTS[PERSON]), max_size=2).map(tuple)


def a_body(shape: Shape) -> st.SearchStrategy[Body]:
    """A body of a shape, with any bytes for pieces."""
    return st.tuples(*[PARTS[part.kind] for part in shape.parts])


def a_fact(shape: Shape) -> st.SearchStrategy[Told]:
    """A fact of a shape, on a day that the simulator lives: what is told wrongly is put right later."""
    instant = st.integers(FIRST_MS, LAST_DAY * DAY_MS)
    return st.tuples(A_PERSON, instant, A_PIECE, a_body(shape), A_PIECE, RELATED)


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
    for module in (telling, container, crowd, due):
        monkeypatch.setattr(module, "extension", lambda: None)
    write_container(python, 300, SETTINGS, 1, lambda _done: None)

    assert natively.getvalue() == python.getvalue()


def tellers(start_ms: int) -> tuple[NativeTeller, PythonTeller, Due, Due]:
    """Both tellers, and what their rows go into."""
    native, python, delays = extension().Due(), PythonDue(), rates().delays["correction"]
    portraits = Portraits(people())
    return (
        NativeTeller(extension().Teller, people(), portraits, SHAPES, delays, start_ms, native),
        PythonTeller(people(), portraits, delays, start_ms, python),
        native,
        python,
    )


def waiting(held: Due, first_day: int = 0, days: int = 1 << 15) -> list[Row]:
    """Rows that wait, which then wait no longer: all of them, unless days are given."""
    rows = held.take(first_day, days)
    assert rows.kinds() == bytes([rows[at][1] for at in range(len(rows))])
    return [rows[at] for at in range(len(rows))]


@given(told(), st.data())
def test_facts(given_: tuple[Shape, int, list[Told], bytes], data: st.DataObject) -> None:
    """Both tellers put the same rows into the same days, and leave the same facts to be told wrongly, which they tell
    alike."""
    native, python, rows, pythons_rows = tellers(START_MS)

    wrong = native.tell(*given_)
    assert wrong == python.tell(*given_)
    assert waiting(rows) == waiting(pythons_rows)
    more = data.draw(st.binary(min_size=MORE_BYTES * len(wrong), max_size=MORE_BYTES * len(wrong)))
    native.tell_wrongly(*given_, wrong, more)
    python.tell_wrongly(*given_, wrong, more)
    assert waiting(rows) == waiting(pythons_rows)


@given(st.lists(st.tuples(st.integers(0, 40 * 8 * DAY_MS), st.integers(0, 255), A_PIECE, A_PIECE), max_size=5))
def test_rows_wait_for_their_day(rows: list[tuple[int, int, bytes, bytes]]) -> None:
    """Rows come out once, those of some days in the order of days; of one day in that in which they were put."""
    native, python = extension().Due(), PythonDue()
    for row in rows:
        native.put(*row)
        python.put(*row)
    taken = [row for first in range(0, 49, 7) for row in waiting(native, first, 7)]

    assert taken == [row for first in range(0, 49, 7) for row in waiting(python, first, 7)]
    assert sorted(taken, key=str) == sorted([(*row, None) for row in rows], key=str)
    assert not waiting(native)


@given(st.data())
def test_later_versions(data: st.DataObject) -> None:
    """Both tellers write the same later version and the same annulment."""
    native, python, *_ = tellers(START_MS)
    shape = data.draw(st.sampled_from(SHAPES))
    head = data.draw(st.tuples(*[A_PIECE] * len(HEAD_SLOTS)))
    body = data.draw(st.none() | a_body(shape))

    assert native.later(shape, head, body) == python.later(shape, head, body)


def a_life(start_ms: int) -> Life:
    """A county of its own, where the extension does nothing."""
    mine = dataclasses.replace(people(), of=people().of[: AMOUNT * STRIDE])
    portraits = Portraits(mine)
    scribe = Scribe(mine, portraits, rates(), 1, words("scribe"), start_ms=start_ms, environment="SYNTHETIC", only=None)
    return Life(mine, portraits, scribe, rates(), words("life"))


CELLS = st.lists(
    st.tuples(
        st.floats(0.1, 100),
        st.one_of(
            st.integers(1, AMOUNT).map(lambda amount: range(0, amount * STRIDE, STRIDE)),
            st.lists(st.integers(0, AMOUNT - 1), min_size=1, max_size=3).map(
                lambda cell: array("I", [at * STRIDE for at in cell])
            ),
        ),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("happen", [move_crowd, change_practice, change_record], ids=lambda each: each.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_crowds(happen: Callable[[Life, Draws], None], data: st.DataObject) -> None:
    """What happens to many people is told alike, and leaves the same people behind."""
    amount = data.draw(st.integers(0, 6))
    random = data.draw(st.binary(min_size=CROWD_DRAW_BYTES * amount, max_size=CROWD_DRAW_BYTES * amount))
    draws = Draws(Cells(data.draw(CELLS)), data.draw(st.integers(14_000, 15_000)), random)
    native, python = a_life(0), a_life(0)
    native.crowd = native_crowd(rates())
    happen(native, draws)
    happen(python, draws)

    rows = waiting(native.scribe.due)
    assert rows == waiting(python.scribe.due)
    assert native.people.of == python.people.of
    assert happen is not change_practice or native.people.of != people().of or not rows


@given(st.data())
def test_draws(data: st.DataObject) -> None:
    """The same people are drawn one by one."""
    amount = data.draw(st.integers(0, 6))
    random = data.draw(st.binary(min_size=DRAW_BYTES * amount, max_size=DRAW_BYTES * amount))
    draws = Draws(Cells(data.draw(CELLS)), data.draw(st.integers(14_000, 15_000)), random)
    of = people().of[: AMOUNT * STRIDE]
    for at in range(0, len(of), 2 * STRIDE):
        of[at + STATE] |= GONE

    assert draws.each(of) == [(person, bits, day) for _, person, bits, day in draws.people(of)]


def test_what_does_not_fit_is_refused() -> None:
    """Parts that are too few, somebody who is nobody's and random bytes that are too few are errors and no rows."""
    teller, _, due, _ = tellers(0)
    shape = next(shape for shape in SHAPES if shape.event_type == "gp-registration-changed")
    fact = (0, START_MS, b"", (1, 2, people().of[:5].tobytes()), b"", ())

    for wrong in ((), (1, 2, b"short"), (1, 2, bytes(20))):
        with pytest.raises(ValueError, match="slots"):
            teller.tell(shape, 0, [(*fact[:3], wrong, *fact[4:])], bytes(RANDOM_BYTES))
    with pytest.raises(ValueError, match="random"):
        teller.tell(shape, 0, [fact], b"")
    with pytest.raises(IndexError):
        teller.tell(shape, 0, [(1 << 40, *fact[1:])], b"\xff" * RANDOM_BYTES)
    with pytest.raises(ValueError, match="random"):
        teller.tell_wrongly(shape, 0, [fact], bytes(RANDOM_BYTES), [0], b"")
    with pytest.raises(ValueError, match="random"):
        teller.tell_wrongly(shape, 0, [fact], b"", [0], bytes(MORE_BYTES))
    with pytest.raises(IndexError):
        teller.tell_wrongly(shape, 0, [fact], bytes(RANDOM_BYTES), [1], bytes(MORE_BYTES))
    assert not waiting(due)
    assert not teller.tell(shape, 0, [fact], bytes(RANDOM_BYTES))
    assert waiting(due)


NOTES = st.one_of(
    st.none(),
    st.builds(
        Note,
        st.sampled_from(["accepted", "rejected", "duplicate"]),
        st.lists(st.text(max_size=5), max_size=2).map(tuple),
        fault=st.none() | st.text(max_size=5),
        raw=st.none() | st.tuples(st.none() | A_PIECE, st.none() | A_PIECE),
    ),
)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 1 << 44),
        st.integers(0, len(EVENT_TYPES) - 1),
        A_PIECE,
        A_PIECE | st.integers(4080, 4100).map(bytes),
        NOTES,
    ),
    max_size=5,
)


def in_python(rows: list[Row]) -> Received:
    """What is received, of any rows: those of which there is something to note are the bad ones."""
    return Received(PythonRows(row for row in rows if row[4] is None), [row for row in rows if row[4] is not None])


def natively(received: Received) -> Received:
    """The same in the extension."""
    held = extension().Due()
    for row in sorted(received.rows(), key=lambda row: row[0] // 8 // DAY_MS):
        if row[4] is None:
            held.put(*row[:4])
    return Received(held.take(0, 1 << 15), received.bad)


@settings(max_examples=25)
@given(st.lists(ROWS, max_size=2))
def test_records(weeks: list[list[Row]]) -> None:
    """What counties receive is framed alike, rows of which there is something to note too."""
    received = [in_python(rows) for rows in weeks]

    assert frame([natively(each) for each in received]) == python_frame(received)


@given(st.lists(ROWS, min_size=2, max_size=3))
def test_merging(weeks: list[list[Row]]) -> None:
    """Records of several processes come in the same order; of one time, in that of the processes."""
    framed = [python_frame([in_python(rows)]) for rows in weeks]

    assert merge(framed) == python_merge(framed)


def test_lengths_that_are_too_long_are_refused() -> None:
    """A length beyond the records is an error."""
    with pytest.raises(ValueError, match="lengths"):
        merge([Framed(array("Q", [1]), array("I", [9]), b"short", {})] * 2)
