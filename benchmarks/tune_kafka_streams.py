"""`python -m benchmarks.tune_kafka_streams`: the peer in Java under other settings, so that it is met at its best.

One at a time beside what is used: how records are decoded, the collector and heap, the interval of commits, the
clients' batches. Every setting once a round on the same inbox, the order turned round; medians and ranges.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.contender import BUILD, Contender
from benchmarks.contenders.kafka_streams import BEST, CONTENDER, TARGET, build, command, prepare
from benchmarks.expected import Differs, expected_views
from benchmarks.input import fill, make_events
from benchmarks.measure import Failed, measure
from benchmarks.processes import end_on_sigterm
from benchmarks.site import site
from tidings.catalogue import default_catalogue_dir, load_catalogue, plain_schema
from tidings.errors import TidingsError

SPECIFIC = BUILD / "kafka-streams-specific"
_CLASSES = ("-Dbench.specific=true", "-Dorg.apache.avro.specific.use_custom_coders=true")
THROUGHPUT: dict[str, tuple[str, ...]] = {
    "as used": BEST,
    "SpecificRecord": (*BEST, _CLASSES[0]),
    "SpecificRecord, custom coders": (*BEST, *_CLASSES),
    "G1": ("-Xmx1g", "-XX:+UseG1GC"),
    "generational ZGC": ("-Xmx1g", "-XX:+UseZGC"),
    "heap of 2 GB": ("-Xmx2g", "-XX:+UseParallelGC"),
    "commit.interval.ms 50": (*BEST, "-Dcommit.interval.ms=50"),
    "commit.interval.ms 300": (*BEST, "-Dcommit.interval.ms=300"),
    "linger.ms 0": (*BEST, "-Dlinger.ms=0"),
    "linger.ms 5": (*BEST, "-Dlinger.ms=5"),
    "batch.size 256 kB": (*BEST, "-Dbatch.size=262144"),
    "batch.size 1 MB": (*BEST, "-Dbatch.size=1048576"),
    "max.poll.records 1,000": (*BEST, "-Dmax.poll.records=1000"),
    "max.partition.fetch.bytes 1 MB": (*BEST, "-Dmax.partition.fetch.bytes=1048576"),
    "no compression": (*BEST, "-Dcompression.type=none"),
}

app = typer.Typer(add_completion=False)


@app.command()
def tune(
    rounds: Annotated[int, typer.Option(min=1, help="How often each setting is measured.")] = 3,
    events: Annotated[int, typer.Option(min=10_000, help="Events of one run.")] = 400_000,
    only: Annotated[str, typer.Option(help="These settings, with semicolons between; all of them where empty.")] = "",
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = BUILD.parent / "kafka-streams.json",
) -> None:
    """Measure the settings, and write medians and ranges."""
    end_on_sigterm()
    if why := prepare():
        raise typer.BadParameter(why)
    names = [each for each in only.split(";") if each] or list(THROUGHPUT)
    if any("SpecificRecord" in name for name in names) and (why := _build_specific()):
        typer.echo(f"SpecificRecord cannot be measured: {why}")
        names = [name for name in names if "SpecificRecord" not in name]
    paces: dict[str, list[float]] = {name: [] for name in names}
    with site() as made:
        pool = make_events(made.inbox)
        expected = expected_views(made, pool)
        fill(made, pool, events)
        for number in range(rounds):
            for name in names if number % 2 == 0 else reversed(names):
                checked = "SpecificRecord" in name  # the others run what `make bench` checks
                try:
                    run = measure(_contender(name), made, events, expected, check=checked and not paces[name])
                except (Failed, Differs, TidingsError) as failure:
                    typer.echo(f"{number + 1} {name:32} failed: {failure}")
                    continue
                paces[name].append(run.events_per_second)
                typer.echo(f"{number + 1} {name:32} {run.events_per_second:10,.0f} events/s")
                out.write_text(json.dumps({each: _entry(found) for each, found in paces.items() if found}, indent=2))


def _contender(name: str) -> Contender:
    target = SPECIFIC if "SpecificRecord" in name else TARGET
    run: Callable[[Path], list[str]] = lambda task: command(task, *THROUGHPUT[name], target=target)  # noqa: E731
    return replace(CONTENDER, name="kafka-streams-tuned", command=run)


def _build_specific() -> str | None:
    folder = SPECIFIC / "avsc"
    folder.mkdir(parents=True, exist_ok=True)
    schema = load_catalogue(default_catalogue_dir()).event_types["death-registered"].schema
    (folder / "death-registered.avsc").write_text(json.dumps(plain_schema(schema)), "utf-8")
    return build(SPECIFIC, f"-Dbench.avsc={folder}")


def _entry(paces: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(paces)), "least": round(min(paces)), "most": round(max(paces))}


if __name__ == "__main__":
    app()
