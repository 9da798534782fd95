"""`tidings up`: the local stack."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DATA = Path(".tidings")


class Environment(StrEnum):
    """What the stack is for; the same words as in the events."""

    SYNTHETIC = "SYNTHETIC"
    LIVE = "LIVE"


def up(
    data: Annotated[Path, typer.Option(help="Folder for data, credentials and logs.")] = DATA,
    brokers: Annotated[int, typer.Option(help="How many brokers: 1 or 3.")] = 1,
    environment: Annotated[
        Environment, typer.Option(help="Whether it takes made-up events or real ones.")
    ] = Environment.SYNTHETIC,
) -> None:
    """Start the local stack: Kafka, the schema registry and its gate, secured, on this machine only.

    Running already is fine: a second `up` says so. Data of an earlier run is kept.
    """
    from commands.progress import shown
    from deploy.local import stack

    with shown() as progress:
        running = stack.up(stack.Options(data, brokers=brokers, environment=environment.value), progress)
    state = "started" if running.fresh else "running already"
    typer.echo(
        f"Tidings is {state}: Kafka at {running.cluster.bootstrap_servers}, registry at {running.cluster.registry_url}."
    )
    typer.echo(f"Clients read {data / 'cluster.json'}; logs are in {data / 'logs'}. Stop it with `tidings down`.")
