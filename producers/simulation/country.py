"""The whole country: the rows of all counties in the order of time, whatever the number of processes that make them."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection
from operator import itemgetter
from typing import NamedTuple

from producers.simulation.container import encode
from producers.simulation.county import County
from producers.simulation.people import COUNTIES
from producers.simulation.rows import Row
from producers.simulation.settings import Settings
from tidings.errors import BadInput, Fatal, Problem

_by_time = itemgetter(0)


class Batch(NamedTuple):
    """A process's records of a week in the order of time: when each is received, how long it is, all of them one after
    another, and outcomes as in `Week`."""

    at: array[int]
    lengths: array[int]
    records: bytes
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
    """A week's records in the order of time, and the expected outcome of those that are not simply accepted, by their
    place."""

    records: list[bytes]
    outcomes: dict[int, str]


def records(settings: Settings, processes: int) -> Iterator[Week]:
    """The records of the country, week by week. It does not end. One process is this one; more, at most one a county,
    are started besides it.

    Raises Fatal where one of them ends, BadInput where the country's time is over.
    """
    if processes <= 1:
        for rows in weeks(settings):
            yield Week(encode(rows), _outcomes(rows))
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
            yield _merged([_received(pipe) for pipe in pipes])
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
                made = encode(rows)
                at, lengths = array("Q", map(_by_time, rows)), array("L", map(len, made))
                pipe.send(Batch(at, lengths, b"".join(made), _outcomes(rows)))
    except BadInput as refusal:
        pipe.send(refusal.problems)
    except (BrokenPipeError, KeyboardInterrupt):
        return


def _outcomes(rows: Sequence[Row]) -> dict[int, str]:
    return {at: row[4].expected for at, row in enumerate(rows) if row[4] is not None}


def _received(pipe: Connection) -> Batch:
    try:
        found: Batch | tuple[Problem, ...] = pipe.recv()
    except EOFError:
        raise Fatal("a process of the simulation ended early") from None
    if not isinstance(found, Batch):
        raise BadInput(found)
    return found


def _merged(batches: Sequence[Batch]) -> Week:
    at: list[int] = []
    found: list[bytes] = []
    outcomes: dict[int, str] = {}
    for batch in batches:
        first, data = len(found), batch.records
        at += batch.at
        found += [data[start:end] for start, end in pairwise(accumulate(batch.lengths, initial=0))]
        outcomes |= {first + place: outcome for place, outcome in batch.outcomes.items()}
    # A time names its county, so that no two of different processes are equal, and the order is that of one process.
    order = sorted(range(len(at)), key=at.__getitem__)
    return Week(
        [found[place] for place in order],
        {new: outcomes[old] for new, old in enumerate(order) if old in outcomes},
    )
