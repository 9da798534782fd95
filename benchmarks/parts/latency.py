"""End-to-end latency at a given rate: from a publisher's `produce()` to a subscriber's `poll()`, one inbox partition
in, three feeds out, exactly once, read read_committed; without TLS, and with TLS and SCRAM for everybody.

Publisher, contender and subscriber are processes of their own beside one broker, which has served a run that is not
counted. A contender first delivers all that the inbox holds: so connections, caches and code are warm. An event's views
are found by their place: the nth event's is the nth of each feed.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

import typer

from benchmarks.broker import PLAIN, TRANSPORTS
from benchmarks.contender import BUILD, Contender
from benchmarks.expected import Expected, expected_views
from benchmarks.feeds import Feeds
from benchmarks.input import fill, make_events
from benchmarks.measure import Failed
from benchmarks.processes import Watched, watched
from benchmarks.publish import publish_at
from benchmarks.results import Results
from benchmarks.settings import Settings
from benchmarks.site import Site, site
from benchmarks.subscribe import subscribe
from benchmarks.tasks import task_for
from producers.encode import WireEvent
from tidings.clock import Deadline, SystemClock
from tidings.errors import TidingsError

WHO = {"tidings": ("tidings-native", "tidings-python"), "kafka-streams": ("kafka-streams",)}
"""Whom latency is measured of, by the name in the file: the first of its contenders that can be made ready."""
RATES = (100, 1_000, 5_000)
BACKLOG = 30_000
WARM_UP_S = 3.0
"""Published before what is measured, at the same rate, and not counted."""
BROKER_WARM_UP = (1_000, 60.0)
"""Events a second, and for how many seconds, of the run that is not counted: whoever was measured first would otherwise
be measured against a broker whose code is still being compiled."""
PATIENCE_S = 120.0
_LOOK_S, _MS = 0.05, 1e-6
_SPAWN = multiprocessing.get_context("spawn")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class _Asked:
    contender: Contender
    transport: str
    rate: int
    events: int
    skipped: int


class _Source:
    """The pool over and over, going on where the last run ended: no event comes again within the window."""

    def __init__(self, pool: Sequence[WireEvent]) -> None:
        self._pool, self.taken = pool, 0

    def take(self, amount: int) -> list[WireEvent]:
        first, self.taken = self.taken, self.taken + amount
        return [self._pool[number % len(self._pool)] for number in range(first, self.taken)]


def run(settings: Settings, results: Results) -> None:
    """Measure whoever can be made ready here, at each rate, by each transport."""
    found = results.content["latency_ms"]
    who = {name: whom(settings, name) for name in WHO}
    with site(short_lived=settings.quick) as made:
        # In the quick form there is no window's worth of events; so there is one rate, and nothing comes twice.
        pool = make_events(made.inbox, pool=max(settings.pool, 2_000))
        expected, source = expected_views(made, pool[:1_000]), _Source(pool)
        fill(made, source.take(settings.events(BACKLOG)))
        if not settings.quick:
            _warm_broker(next(filter(None, who.values()), None), made, source, expected)
        for rate in RATES[:1] if settings.quick else RATES:
            for transport in TRANSPORTS:
                for name, contender in who.items():
                    if contender is None:
                        continue
                    skipped = int(rate * (1 if settings.quick else WARM_UP_S))
                    events = skipped + int(rate * (2 if settings.quick else settings.latency_s))
                    figures = _try(_Asked(contender, transport, rate, events, skipped), made, source, expected)
                    found.setdefault(name, {}).setdefault(str(rate), {})[transport] = figures
                    typer.echo(f"{name:14} {rate:5}/s {transport:5} {figures}")
                    results.save()


def whom(settings: Settings, name: str) -> Contender | None:
    """The contender measured under `name` of `WHO`: the first asked for that can be made ready, else the last asked
    for, which says why not; None where none is asked for."""
    known = settings.contenders()
    asked = [known[each] for each in WHO[name] if each in known]
    return next((each for each in asked if each.prepare() is None), asked[-1] if asked else None)


def _warm_broker(contender: Contender | None, made: Site, source: _Source, expected: Sequence[Expected]) -> None:
    rate, seconds = BROKER_WARM_UP
    if contender is not None:
        figures = _try(_Asked(contender, PLAIN, rate, int(rate * seconds), 0), made, source, expected)
        typer.echo(f"{'not counted':14} {rate:5}/s {PLAIN:5} {figures}")


def _try(asked: _Asked, made: Site, source: _Source, expected: Sequence[Expected]) -> dict[str, Any]:
    why = asked.contender.prepare()
    if why is not None:
        return {"missing": why}
    try:
        return _measure(asked, made, source, expected)
    except (Failed, TidingsError) as failure:
        return {"missing": str(failure)}


def _measure(asked: _Asked, made: Site, source: _Source, expected: Sequence[Expected]) -> dict[str, Any]:
    name = f"latency-{next(_numbers)}"
    made.start(name)
    state = BUILD / "state" / name
    state.mkdir(parents=True, exist_ok=True)
    task = task_for(asked.contender, made, name, expected, state, transport=asked.transport, latency=True)
    argv = asked.contender.argv(task.write(state / "task.json"))
    where = (str(made.broker.files[asked.transport]), asked.transport)
    with Feeds(made.broker.cluster(PLAIN, name), made) as feeds, watched(argv, state / "0.log") as process:
        wait_for_backlog(feeds, process, source.taken)
        hear_arrived, say_arrived = _SPAWN.Pipe()
        starts = {partition.topic: end for partition, end in feeds.ends().items()}
        with _running(subscribe, *where, starts, asked.events, say_arrived):
            _hear(hear_arrived, process, PATIENCE_S)
            hear_sent, say_sent = _SPAWN.Pipe()
            with _running(publish_at, *where, source.take(asked.events), asked.rate, say_sent):
                sent = _hear(hear_sent, process, PATIENCE_S + asked.events / asked.rate)
            if len(sent) < asked.events:
                raise Failed("the inbox did not take every event")
            arrived = _hear(hear_arrived, process, PATIENCE_S)
    return _figures(asked, sent, arrived)


@contextmanager
def _running(target: Any, *arguments: Any) -> Iterator[None]:
    process = _SPAWN.Process(target=target, args=arguments, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def wait_for_backlog(feeds: Feeds, process: Watched, events: int) -> None:
    """Until the group has committed so many events. Raises Failed where it does not."""
    clock = SystemClock()
    deadline = Deadline(clock, PATIENCE_S)
    while feeds.committed() < events:
        if process.ended() or deadline.expired():
            raise Failed(f"it has not delivered what was there before: {process.tail()}")
        clock.sleep(_LOOK_S)


def _hear(pipe: Connection, process: Watched, patience_s: float) -> Any:
    deadline = Deadline(SystemClock(), patience_s)
    while not pipe.poll(_LOOK_S):
        if process.ended() or deadline.expired():
            raise Failed(f"not every view came: {process.tail()}")
    return pipe.recv()


def _figures(asked: _Asked, sent: Sequence[int], arrived: Sequence[Sequence[int]]) -> dict[str, Any]:
    counted = range(asked.skipped, asked.events)
    found = sorted((feed[number] - sent[number]) * _MS for feed in arrived for number in counted)
    span_s = (sent[-1] - sent[asked.skipped]) / 1e9

    def at(share: float) -> float:
        return round(found[min(len(found) - 1, int(len(found) * share))], 1)

    return {
        "contender": asked.contender.name,
        "views": len(found),
        "events_per_second": round((len(counted) - 1) / span_s, 1),
        "p50": at(0.5),
        "p90": at(0.9),
        "p99": at(0.99),
        "max": at(1.0),
    }
