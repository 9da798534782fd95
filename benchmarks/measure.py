"""One run of one contender over a full inbox, measured from outside: the same way for all of them.

The pace comes from the broker: each record of a feed carries the time at which it was appended. The first fifth of the
events is warming up and not counted (`warm_up_share`). Processor time and memory are those of its processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count, islice

from benchmarks.broker import PLAIN
from benchmarks.contender import BUILD, Contender
from benchmarks.expected import Expected
from benchmarks.feeds import Feeds
from benchmarks.processes import Watched, watched
from benchmarks.site import Site
from benchmarks.tasks import task_for
from tidings.clock import Deadline, SystemClock
from tidings.log import InboxRecord

WARM_UP_SHARE = 0.2
TIMEOUT_S = 150.0
_COMMIT_S, _LOOK_S = 20.0, 0.1
_numbers = count(1)


class Failed(Exception):
    """A run that gave no figure, and why."""


@dataclass(frozen=True, slots=True)
class Look:
    """How far a run is, and what it has cost."""

    seconds: float
    events: int
    cpu_seconds: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave. `checked` is how many views were held against the exchange's."""

    events: int
    events_per_second: float
    cpu_us_per_event: float
    memory_mb: float
    checked: int
    looks: tuple[Look, ...] = ()


def measure(
    contender: Contender,
    made: Site,
    events: int,
    expected: Sequence[Expected],
    *,
    check: bool = True,
    workers: int = 1,
    warm_up_share: float = WARM_UP_SHARE,
    timeout_s: float = TIMEOUT_S,
) -> Run:
    """Run `contender` over the first `events` of the inbox. Raises Failed, or Differs where its views are wrong."""
    name = f"{contender.name}-{next(_numbers)}"
    made.start(name)
    state = BUILD / "state" / name
    state.mkdir(parents=True, exist_ok=True)
    with Feeds(made.broker.cluster(PLAIN, name), made) as feeds:
        with ExitStack() as running:
            processes = []
            for slot in range(workers):
                task = task_for(contender, made, name, expected, state, slot=slot).write(state / f"task-{slot}.json")
                processes.append(running.enter_context(watched(contender.argv(task), state / f"{slot}.log")))
            looks = watch(processes, feeds, events, timeout_s)
        held = list(expected) if check and contender.checked else []
        stamps: list[int] = []
        checked = _read(feeds, events, stamps, held)
    return _run(events, sorted(stamps), looks, checked, warm_up_share)


def watch(
    processes: Sequence[Watched], feeds: Feeds, events: int, timeout_s: float, looks: list[Look] | None = None
) -> list[Look]:
    """Look at a run until its feeds have all views and its group has committed. Raises Failed otherwise.
    Each look is added to `looks`."""
    clock = SystemClock()
    deadline = Deadline(clock, timeout_s)
    looks = [] if looks is None else looks
    while not looks or looks[-1].events < events or not feeds.complete(events):
        looks.append(
            Look(
                clock.monotonic(),
                feeds.progress(),
                sum(each.cpu_seconds() for each in processes),
                sum(each.memory_mb() for each in processes),
            )
        )
        for each in processes:
            if each.ended():
                raise Failed(f"its process ended: {each.tail()}")
        if deadline.expired():
            raise Failed(f"{looks[-1].events} of {events} events after {timeout_s:.0f} s: {processes[0].tail()}")
        clock.sleep(_LOOK_S)
    commit = Deadline(clock, _COMMIT_S)
    while feeds.committed() < events:
        if commit.expired():
            raise Failed("its views are there, and its group has not committed")
        clock.sleep(_LOOK_S)
    return looks


def _read(feeds: Feeds, events: int, stamps: list[int], held: Sequence[Expected]) -> int:
    """The first feed's times, and with `held` every view of every feed checked. Returns how many were."""

    def first() -> Iterator[InboxRecord]:
        # What is not checked may go beyond: with several partitions the first events are not those of the first one.
        for record in islice(feeds.records(0), events if held else None):
            stamps.append(record.timestamp_ms)
            yield record

    if not held:
        for _record in first():
            pass
        checked = 0
    else:
        checked = held[0].check(first())
        checked += sum(each.check(islice(feeds.records(at), events)) for at, each in enumerate(held) if at)
    if len(stamps) < events or (held and checked < events * len(held)):
        raise Failed(f"{len(stamps)} of {events} events are in its first feed")
    return checked


def _run(events: int, stamps: Sequence[int], looks: Sequence[Look], checked: int, warm_up_share: float) -> Run:
    skipped = int(len(stamps) * warm_up_share)
    # A run of one large transaction goes from nothing to all between two looks: its whole cost counts.
    counted = (look for look in looks if events * warm_up_share <= look.events < looks[-1].events)
    warm = next(counted, looks[0])
    return Run(
        events=events,
        events_per_second=(len(stamps) - skipped) / max(stamps[-1] - stamps[skipped], 1) * 1000,
        cpu_us_per_event=(looks[-1].cpu_seconds - warm.cpu_seconds) / max(looks[-1].events - warm.events, 1) * 1e6,
        memory_mb=max(look.memory_mb for look in looks),
        checked=checked,
        looks=tuple(looks),
    )
