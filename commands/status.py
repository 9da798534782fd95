"""`tidings status`: what runs, who is behind, and what to do next."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands._context import ClusterOption

if TYPE_CHECKING:
    from deploy.local.status import Part
    from tidings.kafka.observe import Observer
    from tidings.observation import Observation


def status(
    data: Annotated[Path, typer.Option(help="Folder that `tidings up` was given.")] = Path(".tidings"),
    cluster: ClusterOption = None,
    live: Annotated[bool, typer.Option("--live", help="Look again and again until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two looks.")] = 2.0,
) -> None:
    """Show each part of the local stack, the exchange's workers with their policy, every inbox and feed with what waits
    in events and seconds, the last decision, the slowest subscriber, and what to do next.

    Asks the broker as `admin`, so it also works where nothing of Tidings runs. Exits 3 where a part does not run or the
    broker does not answer.
    """
    from rich.console import Console
    from rich.live import Live

    from commands._advice import advice
    from commands._status_show import status_of
    from deploy.local.status import parts
    from tidings.clock import SystemClock
    from tidings.errors import TidingsError

    clock = SystemClock()
    with ExitStack() as stack:
        observer: Observer | None = None

        def look() -> tuple[tuple[Part, ...], Observation | None, str]:
            nonlocal observer
            found = parts(data)
            if found and not any(part.running for part in found):
                return found, None, "The stack is down."
            try:
                observer = observer or _observer(cluster, data, stack)
                return found, observer.look(), ""
            except TidingsError as failure:
                return found, None, str(failure)

        found, seen, why = look()
        if not found and seen is None:
            typer.echo(f"No stack in {data}; `tidings up` makes one. {why}")
            raise typer.Exit(3)
        shown = status_of(seen, found, advice(seen, found), why)
        console = Console(highlight=False)
        if not live:
            console.print(shown, soft_wrap=False)
        else:
            with Live(shown, console=console, auto_refresh=False, screen=console.is_terminal) as screen:
                while True:
                    clock.sleep(every)
                    found, seen, why = look()
                    screen.update(status_of(seen, found, advice(seen, found), why), refresh=True)
    if seen is None or not all(part.running for part in found):
        raise typer.Exit(3)


def _observer(cluster: Path | None, data: Path, stack: ExitStack) -> Observer:
    """An observer of the cluster named, else of the stack in `data`, else of the default."""
    from commands._context import cluster_of
    from tidings.kafka.observe import Observer

    own = data / "cluster.json"
    return stack.enter_context(Observer(cluster_of(cluster or (own if own.exists() else None))))
