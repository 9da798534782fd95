"""How fast each of the derived processors and the correction window is: the real command, on the real stack, on what an
exchange made of a simulated country; and how much of it is the processor's own work.

Paces are in decided events of the country, whatever comes of them for one part: a block of decisions holds many, a feed
few. The window's clock is ahead by a day, so that everything that waits is due at once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import typer
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.contender import BUILD
from benchmarks.country import ADMIN, Country, country
from benchmarks.memory_store import MemoryStore
from benchmarks.processes import Watched, watched
from benchmarks.results import Results
from benchmarks.settings import Settings
from stream_processors.host.declaration import Processor
from stream_processors.host.discover import load_processor
from stream_processors.host.pipeline import Pipeline
from tidings.clock import SystemClock
from tidings.errors import Fatal, TidingsError
from tidings.kafka.read import LogReader
from tidings.kafka.registry import Registry
from tidings.log import InboxRecord
from tidings.metrics import HELD_SETTLED, PROCESSOR_EVENTS, PROCESSOR_METRICS, PROCESSOR_PARTS, MetricStore

NAMES = ("data-quality", "risk-monitor", "life-event-journey")
WINDOW = "correction-window"
EVENTS = 30_000
_ASKED = 1_000
_LOOK_S = 0.1
_START_S, _QUIET_S, _MOST_S = 120.0, 4.0, 300.0


@dataclass(frozen=True, slots=True)
class Look:
    """One moment: how much was done by then."""

    seconds: float
    events: float
    parts: float
    cpu_seconds: float
    memory_mb: float


def run(settings: Settings, results: Results) -> None:
    """One country, then one after another."""
    points = results.points("processors")
    decided = settings.events(EVENTS)
    with country(decided, short_lived=settings.quick) as made:
        runs: list[tuple[str, Callable[[], dict[str, Any]]]] = [
            *((name, lambda name=name: _derived(made, name, decided)) for name in NAMES),
            (WINDOW, lambda: _window(made, decided)),
        ]
        for name, measure in runs:
            try:
                points.append({"processor": name, **measure()})
            except TidingsError as failure:
                points.append({"processor": name, "failed": str(failure)[:200]})
            typer.echo(str(points[-1]))
            results.save()


def _derived(made: Country, name: str, decided: int) -> dict[str, Any]:
    folder = BUILD / "state" / name
    targets = folder / "targets"
    data = made.stack.data / "bench" / name
    command = made.command("run", name, "--data", str(data), "--targets", str(targets))
    looks = _watch(command, folder / "run.log", targets, PROCESSOR_EVENTS.name, PROCESSOR_PARTS.name)
    own = _own(made, load_processor(name), decided)
    # One that has not read everything in time kept up with so much of the country alone.
    share = min(1.0, looks[-1].events / own["records"])
    return {**_pace(looks, "parts", max(1, round(decided * share))), "share_read": round(share, 3), **own}


def _window(made: Country, decided: int) -> dict[str, Any]:
    folder = BUILD / "state" / WINDOW
    targets = folder / "targets"
    command = [sys.executable, "-m", "benchmarks.late_window", str(made.stack.cluster_file), str(targets)]
    looks = _watch(command, folder / "run.log", targets, HELD_SETTLED.name, HELD_SETTLED.name)
    return _pace(looks, "views", decided)


def _watch(command: Sequence[str], log: Path, targets: Path, events: str, parts: str) -> list[Look]:
    """Run a process until nothing more comes of it. What was seen of it from its first record on.

    Raises Fatal where it ends by itself, or nothing comes.
    """
    for left in targets.glob("*.json"):
        left.unlink()
    looks: list[Look] = []
    began = time.monotonic()
    with watched(command, log) as process:
        while True:
            now = time.monotonic() - began
            if process.ended():
                raise Fatal(f"it ended: {process.tail()}")
            look = _look(process, targets, now, events, parts)
            if look is not None and look.events:
                looks.append(look)
            if now > (_MOST_S if looks else _START_S) and not (looks and looks[-1].parts):
                raise Fatal("nothing came of it")
            if looks and looks[-1].parts and (now - _last_change(looks) > _QUIET_S or now > _MOST_S):
                return looks
            time.sleep(_LOOK_S)


def _last_change(looks: Sequence[Look]) -> float:
    return next(each.seconds for each in looks if each.parts == looks[-1].parts)


def _look(process: Watched, targets: Path, now: float, events: str, parts: str) -> Look | None:
    found = next(iter(targets.glob("*.json")), None)
    if found is None:
        return None
    [address] = json.loads(found.read_bytes())[0]["targets"]
    try:
        text = httpx.get(f"http://{address}/metrics", timeout=2.0, trust_env=False).text
    except httpx.HTTPError:
        return None
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return Look(now, sums.get(events, 0.0), sums.get(parts, 0.0), process.cpu_seconds(), process.memory_mb())


def _pace(looks: Sequence[Look], what: str, decided: int) -> dict[str, Any]:
    """From the first look at which something was read to the one at which the last was done: with how many decided
    events a second of the country it keeps up, and what of a core that takes."""
    begin, end = looks[0], next(each for each in looks if each.parts == looks[-1].parts)
    seconds, parts = max(_LOOK_S, end.seconds - begin.seconds), int(end.parts)
    return {
        "records_read": int(end.events),
        what: parts,
        "seconds": round(seconds, 1),
        "decided_events_per_second": round(decided / seconds),
        f"{what}_per_second": round(parts / seconds),
        "cpu_us_a_decided_event": round((end.cpu_seconds - begin.cpu_seconds) / decided * 1e6, 1),
        "memory_mb": round(max(each.memory_mb for each in looks), 1),
    }


def _own(made: Country, processor: Processor, decided: int) -> dict[str, Any]:
    """The same records without Faust, broker and disk: what the processor itself takes of a core, and its rows."""
    store, clock = MemoryStore(processor.partitions), SystemClock()
    with LogReader(made.stack.cluster, ADMIN) as reader, Registry(made.stack.cluster) as registry:
        metrics = MetricStore(PROCESSOR_METRICS)
        pipeline = Pipeline(processor, made.policy, cache(registry.schema), clock, metrics, "bench")
        records = list(reader.read_all_to_end(pipeline.sources))
        for record in records[:_ASKED]:
            pipeline.take(record)  # the schemas are asked for
        began = time.thread_time()
        sent = [each.message for record in records for each in pipeline.take(record)]
        work = [
            InboxRecord(message.topic, message.partition, number, clock.now_ms(), message.key, message.value)
            for number, message in enumerate(sent)
            if message.topic == pipeline.work_topic
        ]
        for part in work:
            pipeline.work(part, store.place(part.partition))
        took = time.thread_time() - began
    rows = store.rows()
    return {
        "records": len(records),
        "own_us_a_decided_event": round(took / decided * 1e6, 1),
        "rows": len(rows),
        "bytes_a_row": round(sum(rows) / max(1, len(rows))),
    }
