"""The whole country: the rows of all counties in the order of time, whatever the number of processes that make them."""

from __future__ import annotations

import gc
import os
import pickle
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import itemgetter
from subprocess import PIPE, Popen
from typing import IO, NamedTuple, cast

from producers.simulation.container import Framed, frame, in_order, merge, split
from producers.simulation.county import County
from producers.simulation.people import COUNTIES
from producers.simulation.rows import Row
from producers.simulation.settings import Settings
from tidings.errors import BadInput, Fatal, Problem

_by_time, _note = itemgetter(0), itemgetter(4)


class Batch(NamedTuple):
    """A process's records of a week in the order of time, and outcomes as in `Week`."""

    framed: Framed
    outcomes: dict[int, str]


def weeks(settings: Settings, counties: Sequence[int] = range(COUNTIES)) -> Iterator[list[Row]]:
    """The rows of these counties, a list a week, in the order in which they are received. It does not end, but
    by BadInput where the country's time is over."""
    living = [County(number, settings) for number in counties]
    while True:
        rows: list[Row] = []
        for county in living:
            rows += county.next_week()
        rows.sort(key=_by_time)
        yield rows


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector: nothing that is made here refers to itself, and a collection looks at millions of
    objects."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Week(NamedTuple):
    """A week's records in the order of time: how many there are, all of them one behind the other, and the expected
    outcomes of those that are not simply accepted."""

    amount: int
    data: bytes
    outcomes: Counter[str]


def records(settings: Settings, events: int, processes: int) -> Iterator[Week]:
    """`events` records of the country, week by week. One process is this one; more, at most one a county, are started
    besides it.

    Raises Fatal where one of them ends, BadInput where the country's time is over.
    """
    left = events
    for batches in _batches(settings, processes) if events else ():
        week = _merged(batches, left)
        yield week
        left -= week.amount
        if left == 0:
            return


def _batches(settings: Settings, processes: int) -> Iterator[list[Batch]]:
    """The batches of a week, of each process one."""
    if processes <= 1:
        for rows in weeks(settings):
            yield [Batch(frame(rows), _outcomes(rows))]
        return
    processes = min(processes, COUNTIES)
    # Not multiprocessing's: it would import the command's own module again in each, which takes longer than the rest.
    makers = [_started(settings, number, processes) for number in range(processes)]
    try:
        while True:
            yield [_received(maker) for maker in makers]
    finally:
        for maker in makers:
            maker.kill()
            cast("IO[bytes]", maker.stdout).close()
            maker.wait()


def _started(settings: Settings, number: int, processes: int) -> Popen[bytes]:
    program = f"from {__name__} import make; make()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    maker = Popen([sys.executable, "-c", program], stdin=PIPE, stdout=PIPE, env=environment)
    with (
        suppress(BrokenPipeError),
        cast("IO[bytes]", maker.stdin) as told,
    ):  # one that has ended already is noticed at its first batch
        pickle.dump((settings, range(number, COUNTIES, processes)), told)
    return maker


def make() -> None:
    """A process: reads settings and counties from its standard input, and writes their batches to its standard output
    until nobody reads them. A refusal's problems are its last word."""
    out = sys.stdout.buffer
    settings, counties = pickle.load(sys.stdin.buffer)  # noqa: S301 (from the process that started this one)
    try:
        with uncollected():
            for rows in weeks(settings, counties):
                pickle.dump(Batch(frame(rows), _outcomes(rows)), out)
                out.flush()
    except BadInput as refusal:
        pickle.dump(refusal.problems, out)
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)  # without a word about what could not be flushed


def _outcomes(rows: Sequence[Row]) -> dict[int, str]:
    return {at: note.expected for at, note in enumerate(map(_note, rows)) if note is not None}


def _received(maker: Popen[bytes]) -> Batch:
    try:
        found: Batch | tuple[Problem, ...] = pickle.load(cast("IO[bytes]", maker.stdout))  # noqa: S301 (from a process of our own)
    except (EOFError, pickle.UnpicklingError):
        raise Fatal("a process of the simulation ended early") from None
    if not isinstance(found, Batch):
        raise BadInput(found)
    return found


def _merged(batches: Sequence[Batch], most: int) -> Week:
    """A week of at most so many records."""
    framed = [batch.framed for batch in batches]
    amount = sum(len(each.at) for each in framed)
    if amount <= most:
        outcomes = Counter(outcome for batch in batches for outcome in batch.outcomes.values())
        return Week(amount, merge(framed), outcomes)
    order = in_order(framed)[:most]
    first = 0
    noted: dict[int, str] = {}
    for batch in batches:
        noted |= {first + place: outcome for place, outcome in batch.outcomes.items()}
        first += len(batch.framed.at)
    found = split(framed)
    return Week(
        most, b"".join([found[place] for place in order]), Counter(noted[place] for place in order if place in noted)
    )
