"""`tidings top`: throughput, as it is now."""

from __future__ import annotations

from typing import Annotated

import typer

from commands._context import ClusterOption


def top(
    cluster: ClusterOption = None,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two looks.")] = 2.0,
    during: Annotated[float, typer.Option("--for", min=0, help="End after so many seconds; 0: at Ctrl-C.")] = 0.0,
) -> None:
    """Show what flows: events that arrive and are decided, a second, by inbox; views written, by agreement.

    It is counted from the broker, as `admin`: no worker is asked. At the end the whole time is shown as one.
    """
    from rich.console import Console
    from rich.live import Live

    from commands._context import cluster_of
    from commands._rates import rates, top_of
    from tidings.clock import Deadline, SystemClock
    from tidings.kafka.observe import Observer

    clock, console = SystemClock(), Console(highlight=False)
    with Observer(cluster_of(cluster)) as observer:
        first = before = observer.look()
        end = Deadline(clock, during)
        with Live(console=console, auto_refresh=False, transient=True) as screen:
            while not (during and end.expired()):
                clock.sleep(min(every, end.remaining()) if during else every)
                after = observer.look()
                screen.update(top_of(rates(before, after), after), refresh=console.is_terminal)
                before = after
        console.print(top_of(rates(first, before), before))
