"""How the exchange's pace changes with what it has to do: agreements, the size of a record, partitions and workers.
One broker a point; at most two rounds, medians."""

from __future__ import annotations

import statistics
from typing import Any

import typer

from benchmarks.contender import Contender
from benchmarks.expected import Expected, expected_views
from benchmarks.input import fill, make_events
from benchmarks.measure import WARM_UP_SHARE, Failed, measure
from benchmarks.results import Results
from benchmarks.settings import Settings
from benchmarks.site import Site, site
from tidings.errors import TidingsError

AGREEMENTS = (1, 3, 10, 30, 100)
SIZES = (200, 1_000, 10_000)
WORKERS = (1, 2)
_VIEWS_A_RUN = 1_800_000
_BYTES_A_RUN = 400_000_000
_EVENTS = 600_000
_MANY = 1_500_000
_JOINING_SHARE = 0.5
"""Of the events of a run with several workers: meanwhile they share the partitions out among themselves."""
_ROUNDS_MAX = 2


def agreements(settings: Settings, results: Results) -> None:
    """More views of the same event: the native and the generated executor."""
    points = results.points("agreements")
    for number in AGREEMENTS[:2] if settings.quick else AGREEMENTS:
        with site(agreements=number, short_lived=settings.quick) as made:
            ready = _Ready(settings, made)
            point: dict[str, Any] = {"agreements": number}
            for name, share in (("tidings-native", 1.0), ("tidings-python", 0.25)):
                point |= ready.measure(name, min(_EVENTS, _VIEWS_A_RUN // number) * share)
            _tell(points, point, results)


def record_bytes(settings: Settings, results: Results) -> None:
    """Larger events of which the views take as little as before, beside the floor, which reads them, too."""
    points = results.points("record_bytes")
    for size in SIZES[:2] if settings.quick else SIZES:
        with site(short_lived=settings.quick) as made:
            ready = _Ready(settings, made, size=size)
            point: dict[str, Any] = {"record_bytes": ready.mean_bytes()}
            for name in ("floor", "tidings-native"):
                point |= ready.measure(name, min(_EVENTS, _BYTES_A_RUN // size))
            if (floor := point.get("floor")) and (ours := point.get("tidings-native")):
                point["time_against_floor"] = round(floor / ours, 2)
            _tell(points, point, results)


def workers(settings: Settings, results: Results) -> None:
    """As many workers as partitions."""
    points = results.points("workers")
    for number in WORKERS:
        with site(partitions=number, short_lived=settings.quick) as made:
            ready = _Ready(settings, made)
            point: dict[str, Any] = {"partitions": number, "workers": number}
            for name, events in (("floor", _MANY), ("tidings-native", _MANY), ("tidings-python", _MANY // 3)):
                point |= ready.measure(name, events, workers=number)
            _tell(points, point, results)


class _Ready:
    """A site with a full inbox."""

    def __init__(self, settings: Settings, made: Site, *, size: int = SIZES[0]) -> None:
        self._settings, self._made = settings, made
        # As many to each partition, or the same event would come again within a partition's deduplication window.
        pool = settings.pool * made.inbox.partitions
        self._pool = make_events(made.inbox, size, min(pool, _BYTES_A_RUN // size))
        self._expected: list[Expected] = expected_views(made, self._pool[:200])
        self._filled = 0

    def mean_bytes(self) -> int:
        """What an event has on the wire."""
        return round(statistics.mean(len(event.value or b"") for event in self._pool))

    def measure(self, name: str, wanted: float, *, workers: int = 1) -> dict[str, Any]:
        """The median pace under the contender's name, its CPU beside it; nothing where it cannot be made ready."""
        contender: Contender | None = self._settings.contenders().get(name)
        if contender is None or contender.prepare() is not None:
            return {}
        events = self._settings.events(int(wanted))
        self._fill(events)
        share = _JOINING_SHARE if workers > 1 else WARM_UP_SHARE
        paces, costs = [], []
        for _ in range(min(self._settings.rounds, _ROUNDS_MAX)):
            try:
                run = measure(
                    contender, self._made, events, self._expected, check=False, workers=workers, warm_up_share=share
                )
            except (Failed, TidingsError) as failure:
                typer.echo(f"{name}: {failure}", err=True)
                continue
            paces.append(run.events_per_second)
            costs.append(run.cpu_us_per_event)
        if not paces:
            return {}
        return {name: round(statistics.median(paces), 1), f"{name}_cpu_us": round(statistics.median(costs), 2)}

    def _fill(self, events: int) -> None:
        missing = events - self._filled
        if missing > 0:
            fill(self._made, self._pool, missing)
            self._filled = events


def _tell(points: list[dict[str, Any]], point: dict[str, Any], results: Results) -> None:
    points.append(point)
    typer.echo(str(point))
    results.save()
