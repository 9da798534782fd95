"""The whole country: the rows of all counties in the order of time, whatever the number of processes that make them."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from operator import itemgetter
from typing import NamedTuple

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
    spawn, processes = get_context("spawn"), min(processes, COUNTIES)
    makers, pipes = [], []
    for number in range(processes):
        pipe, its_end = spawn.Pipe(duplex=False)
        maker = spawn.Process(target=_make, args=(settings, number, processes, its_end), daemon=True)
        maker.start()
        its_end.close()
        makers.append(maker)
        pipes.append(pipe)
    try:
        while True:
            yield [_received(pipe) for pipe in pipes]
    finally:
        for maker, pipe in zip(makers, pipes, strict=True):
            pipe.close()
            maker.terminate()
            maker.join()


def _make(settings: Settings, number: int, processes: int, pipe: Connection) -> None:
    """A process: its share of the counties, until nobody listens."""
    try:
        with uncollected():
            for rows in weeks(settings, range(number, COUNTIES, processes)):
                pipe.send(Batch(frame(rows), _outcomes(rows)))
    except BadInput as refusal:
        pipe.send(refusal.problems)
    except (BrokenPipeError, KeyboardInterrupt):
        return


def _outcomes(rows: Sequence[Row]) -> dict[int, str]:
    return {at: note.expected for at, note in enumerate(map(_note, rows)) if note is not None}


def _received(pipe: Connection) -> Batch:
    try:
        found: Batch | tuple[Problem, ...] = pipe.recv()
    except EOFError:
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
