"""`tidings observe`: a real Prometheus beside the local stack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def observe(
    data: Annotated[Path, typer.Option(help="Folder that `tidings up` was given.")] = Path(".tidings"),
    port: Annotated[int, typer.Option(min=0, help="Prometheus' port where it is free; 0: any.")] = 9090,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 5.0,
    stop: Annotated[bool, typer.Option("--stop", help="End it. `tidings down` does so too.")] = False,
) -> None:
    """Run a Prometheus and the monitor beside the stack of a data folder, in the background, with all rules.

    It scrapes the monitor, and every worker that says where it is: `tidings run exchange --targets FOLDER/targets`.
    """
    from deploy.prometheus.observe import TARGETS, stop_observing
    from deploy.prometheus.observe import observe as begin
    from tidings.errors import Fatal

    if stop:
        ended = stop_observing(data)
        typer.echo(f"Stopped {', '.join(each.name for each in ended)}." if ended else "Nothing was observing.")
        return
    cluster_file = data / "cluster.json"
    if not cluster_file.exists():
        raise Fatal(f"there is no stack in {data}: `tidings up` makes one")
    url = begin(data, cluster_file, port=port or None, every_s=every)
    typer.echo(f"Prometheus is at {url} (alerts: {url}/alerts); it watches {data / TARGETS}.")
    typer.echo(f"End it with `tidings observe --stop --data {data}`, or with the stack.")
