"""`tidings down`: stops the local stack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def down(data: Annotated[Path, typer.Option(help="Folder that `tidings up` was given.")] = Path(".tidings")) -> None:
    """Stop the local stack and wait until it has ended. Its data stays for the next `tidings up`."""
    from deploy.local import stack
    from deploy.prometheus.observe import stop_observing

    stopped = (*stop_observing(data), *stack.down(data))
    if stopped:
        typer.echo(f"Stopped {', '.join(each.name for each in stopped)}. Data stays in {data}.")
    else:
        typer.echo(f"Nothing of {data} was running.")
