"""`python -m benchmarks`: measure, and write `build/bench.json` and `build/bench.md` after every part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import native
from benchmarks.contender import BUILD, contenders
from benchmarks.draw import draw
from benchmarks.parts import feed_partitions, growth, latency, memory, processor_state, processors, throughput
from benchmarks.processes import end_on_sigterm
from benchmarks.results import Results
from benchmarks.settings import Settings
from benchmarks.table import report

PARTS: dict[str, Callable[[Settings, Results], None]] = {
    "throughput": throughput.run,
    "latency": latency.run,
    "agreements": growth.agreements,
    "record_bytes": growth.record_bytes,
    "workers": growth.workers,
    "feed_partitions": feed_partitions.run,
    "memory": memory.run,
    "processors": processors.run,
    "processor_state": processor_state.run,
}


app = typer.Typer(add_completion=False)


@app.command()
def measure(
    parts: Annotated[str, typer.Option(help=f"Which: {', '.join(PARTS)}, with commas between.")] = ",".join(PARTS),
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of the throughput part.")] = 5,
    scale: Annotated[float, typer.Option(min=0.001, help="Multiplies the events of every run.")] = 1.0,
    latency_s: Annotated[float, typer.Option(min=1, help="How long latency is measured at a rate.")] = 20.0,
    only: Annotated[str, typer.Option(help="These contenders, with commas between; all of them where empty.")] = "",
    quick: Annotated[bool, typer.Option(help="As the smoke test: few events, our own contenders only.")] = False,
    out: Annotated[Path, typer.Option(help="Where the figures go; the table stands beside it.")] = BUILD.parent
    / "bench.json",
) -> None:
    """Measure the exchange and its peers on one real broker, without supervision."""
    end_on_sigterm()
    wanted, names = [each for each in parts.split(",") if each], tuple(each for each in only.split(",") if each)
    unknown = sorted({*wanted} - {*PARTS} | {*names} - {*contenders()})
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(unknown)}")
    if not quick and (why := native.build()):
        typer.echo(why)
    settings, results = Settings(rounds, scale, latency_s, names, quick), Results(out, scale)
    failed = []
    for name in wanted:
        typer.echo(f"==> {name}")
        try:
            with results.part(name):
                PARTS[name](settings, results)
        except Exception as failure:  # noqa: BLE001 -- a part that fails must not take the others with it
            failed.append(name)
            results.content["parts"][name]["failed"] = f"{type(failure).__name__}: {failure}"
            results.save()
            typer.echo(f"{name} failed: {type(failure).__name__}: {failure}", err=True)
        out.with_suffix(".md").write_text(report(results.content))
    if not quick and (why := draw(out, BUILD / "plots")):
        typer.echo(f"no plots: {why}")
    typer.echo(report(results.content))
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
