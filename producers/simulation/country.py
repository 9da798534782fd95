"""The whole country: the rows of all counties in the order of time, whatever the number of processes that make them."""

from __future__ import annotations

import gc
import os
import pickle
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import F_SETPIPE_SZ, fcntl
from subprocess import PIPE, Popen
from typing import IO, NamedTuple, cast

from producers.simulation.container import Framed, frame, merge, order_of, split
from producers.simulation.county import County
from producers.simulation.due import Received
from producers.simulation.people import COUNTIES
from producers.simulation.settings import Settings
from tidings.errors import BadInput, Fatal, Problem


def weeks(settings: Settings, counties: Sequence[int] = range(COUNTIES)) -> Iterator[list[Received]]:
    """What these counties receive, week by week. It does not end, but by BadInput where the country's time is over."""
    living = [County(number, settings) for number in counties]
    while True:
        yield [county.next_week() for county in living]


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
    for framed in _batches(settings, processes) if events else ():
        week = _merged(framed, left)
        yield week
        left -= week.amount
        if left == 0:
            return


def _batches(settings: Settings, processes: int) -> Iterator[list[Framed]]:
    """The records of a week, of each process in the order of time."""
    if processes <= 1:
        for received in weeks(settings):
            yield [frame(received)]
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


_AHEAD_BYTES = 1 << 20
"""A process makes more than a week while nobody reads: what a pipe may hold at most, as Linux is set up."""


def _started(settings: Settings, number: int, processes: int) -> Popen[bytes]:
    program = f"from {__name__} import make; make()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    maker = Popen([sys.executable, "-c", program], stdin=PIPE, stdout=PIPE, env=environment)
    with suppress(OSError):  # less is allowed: it waits more often then
        fcntl(cast("IO[bytes]", maker.stdout), F_SETPIPE_SZ, _AHEAD_BYTES)
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
            for received in weeks(settings, counties):
                pickle.dump(frame(received), out)
                out.flush()
    except BadInput as refusal:
        pickle.dump(refusal.problems, out)
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)  # without a word about what could not be flushed


def _received(maker: Popen[bytes]) -> Framed:
    try:
        found: Framed | tuple[Problem, ...] = pickle.load(cast("IO[bytes]", maker.stdout))  # noqa: S301 (from a process of our own)
    except (EOFError, pickle.UnpicklingError):
        raise Fatal("a process of the simulation ended early") from None
    if not isinstance(found, Framed):
        raise BadInput(found)
    return found


def _merged(framed: Sequence[Framed], most: int) -> Week:
    """A week of at most so many records."""
    amount = sum(len(each.at) for each in framed)
    if amount <= most:
        outcomes = Counter[str](outcome for each in framed for outcome in each.outcomes.values())
        return Week(amount, merge(framed), outcomes)
    order = order_of(framed)[:most]
    first = 0
    noted: dict[int, str] = {}
    for each in framed:
        noted |= {first + place: outcome for place, outcome in each.outcomes.items()}
        first += len(each.at)
    found = split(framed)
    return Week(
        most, b"".join([found[place] for place in order]), Counter(noted[place] for place in order if place in noted)
    )
