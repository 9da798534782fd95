"""The memory of one worker against run time: its resident set while it goes through many events without a stop."""

from __future__ import annotations

import typer

from benchmarks.broker import PLAIN
from benchmarks.contender import BUILD
from benchmarks.expected import expected_views
from benchmarks.feeds import Feeds
from benchmarks.input import fill, make_events
from benchmarks.measure import Failed, Look, watch
from benchmarks.parts.latency import whom
from benchmarks.processes import watched
from benchmarks.results import Results
from benchmarks.settings import Settings
from benchmarks.site import site
from benchmarks.tasks import task_for

EVENTS = 10_000_000
_POINTS = 60
_TIMEOUT_S = 600.0


def run(settings: Settings, results: Results) -> None:
    """Fill the inbox, then let one worker empty it. What was seen until a time-out is kept."""
    contender = whom(settings, "tidings")
    points = results.points("memory")
    if contender is None:
        return
    events, name = settings.events(EVENTS), "memory"
    with site(short_lived=settings.quick) as made:
        pool = make_events(made.inbox, pool=settings.pool)
        expected = expected_views(made, pool[:200])
        fill(made, pool, events)
        made.start(name)
        state = BUILD / "state" / name
        state.mkdir(parents=True, exist_ok=True)
        task = task_for(contender, made, name, expected, state).write(state / "task.json")
        log = state / "0.log"
        looks: list[Look] = []
        with Feeds(made.broker.cluster(PLAIN, name), made) as feeds, watched(contender.argv(task), log) as process:
            try:
                watch([process], feeds, events, _TIMEOUT_S, looks)
            except Failed as failure:
                typer.echo(f"memory: {failure}", err=True)
    working = [look for look in looks if look.events] or looks[-1:]
    every = max(1, len(working) // _POINTS)
    for look in [*working[::every], *working[-1:]]:
        seconds = round(look.seconds - working[0].seconds, 1)
        points.append({"events": look.events, "seconds": seconds, "memory_mb": round(look.memory_mb, 1)})
    results.save()
