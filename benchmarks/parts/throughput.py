"""How fast each contender empties a full inbox: one partition in, three feeds out, by the listener without TLS; each
contender once a round."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

import typer

from benchmarks.contender import Contender
from benchmarks.expected import Differs, Expected, expected_views
from benchmarks.input import fill, make_events
from benchmarks.measure import Failed, Run, measure
from benchmarks.results import Results
from benchmarks.settings import Settings
from benchmarks.site import Site, site
from tidings.errors import TidingsError

FAILURES_MAX = 2
"""So often a contender may fail before it is left out of the rounds to come."""


def run(settings: Settings, results: Results) -> None:
    """Measure every contender asked for that can be made ready here."""
    ready: list[Contender] = []
    for name, each in settings.contenders().items():
        why = each.prepare()
        if why is None:
            ready.append(each)
        else:
            typer.echo(f"{name}: cannot be measured: {why}")
            results.content["contenders"][name] = {"what": each.what, "missing": why}
    with site(short_lived=settings.quick) as made:
        pool = make_events(made.inbox, pool=settings.pool)
        expected = expected_views(made, pool)
        fill(made, pool, max(settings.events(each.events) for each in ready))
        _rounds(settings, results, ready, made, expected)


def _rounds(settings: Settings, results: Results, ready: list[Contender], made: Site, expected: list[Expected]) -> None:
    runs: dict[str, list[Run]] = {each.name: [] for each in ready}
    failures: dict[str, list[str]] = {each.name: [] for each in ready}
    checked: Counter[str] = Counter()
    for number in range(settings.rounds):
        # There and back again: what drifts during a round does not always meet the same one last.
        for each in ready if number % 2 == 0 else reversed(ready):
            if len(failures[each.name]) >= FAILURES_MAX:
                continue
            try:
                made_run = measure(each, made, settings.events(each.events), expected, check=not runs[each.name])
            except (Failed, Differs, TidingsError) as failure:
                failures[each.name].append(str(failure))
                typer.echo(f"{number + 1} {each.name:20} failed: {failure}")
            else:
                runs[each.name].append(made_run)
                checked[each.name] += made_run.checked
                typer.echo(
                    f"{number + 1} {each.name:20} {made_run.events_per_second:10,.0f} events/s"
                    f" {made_run.cpu_us_per_event:8.1f} us CPU/event"
                )
        for each in ready:
            entry = _entry(each, runs[each.name], checked[each.name], failures[each.name])
            results.content["contenders"][each.name] = entry
        results.save()


def _entry(contender: Contender, runs: list[Run], checked: int, failures: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"what": contender.what + contender.remark(), "views_checked": checked}
    if failures:
        entry["failures"] = failures
    if not runs:
        return entry | {"missing": failures[-1] if failures else "not run"}
    paces = [each.events_per_second for each in runs]
    return entry | {
        "events": runs[0].events,
        "rounds": [round(pace, 1) for pace in paces],
        "events_per_second": round(statistics.median(paces), 1),
        "range": [round(min(paces), 1), round(max(paces), 1)],
        "cpu_us_per_event": round(statistics.median(each.cpu_us_per_event for each in runs), 3),
        "memory_mb": round(statistics.median(each.memory_mb for each in runs), 1),
    }
