"""`tidings status`: what runs, who is behind, and what to do next."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands._context import ClusterOption

if TYPE_CHECKING:
    from commands._health import Health
    from tidings.kafka.cluster import Cluster
    from tidings.observation import Observation


def status(
    data: Annotated[Path, typer.Option(help="Folder that `tidings up` was given.")] = Path(".tidings"),
    cluster: ClusterOption = None,
    live: Annotated[bool, typer.Option("--live", help="Look again and again until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two looks.")] = 2.0,
) -> None:
    """Show the health of each part, the exchange's workers with their policy, every inbox and feed with what waits in
    events and seconds, the last decision, the slowest subscriber, and what to do next.

    Asks the broker as `admin`, so it also works where nothing of Tidings runs. Exits 3 where a part does not run or the
    broker does not answer.
    """
    from rich.console import Console
    from rich.live import Live

    from commands._advice import advice
    from commands._health import health_of
    from commands._status_show import status_of
    from tidings.clock import SystemClock
    from tidings.errors import TidingsError
    from tidings.kafka.observe import Observer

    clock = SystemClock()
    with ExitStack() as stack:
        observer: Observer | None = None

        def look() -> tuple[tuple[Health, ...], Observation | None, str]:
            nonlocal observer
            try:
                where = _cluster(cluster, data)
            except TidingsError as failure:
                return health_of(data, None), None, str(failure)
            found = health_of(data, where)
            local = [part for part in found if part.name.startswith("broker-")]
            if local and not any(part.good for part in local):
                return found, None, "The stack is down."
            try:
                observer = observer or stack.enter_context(Observer(where))
                return found, observer.look(), ""
            except TidingsError as failure:
                return found, None, str(failure)

        found, seen, why = look()
        if not found and seen is None:
            typer.echo(f"No stack in {data}; `tidings up` makes one. {why}")
            raise typer.Exit(3)
        console = Console(highlight=False)
        if not live:
            console.print(status_of(seen, found, advice(seen, found), why))
        else:
            with Live(console=console, auto_refresh=False, screen=console.is_terminal) as screen:
                while True:
                    screen.update(status_of(seen, found, advice(seen, found), why), refresh=True)
                    clock.sleep(every)
                    found, seen, why = look()
    if seen is None or not all(part.good for part in found):
        raise typer.Exit(3)


def _cluster(cluster: Path | None, data: Path) -> Cluster:
    """The cluster named, else that of the stack in `data`, else the default. Raises as `Cluster.load`."""
    from commands._context import cluster_of

    own = data / "cluster.json"
    return cluster_of(cluster or (own if own.exists() else None))
