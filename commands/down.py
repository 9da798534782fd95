"""`tidings down`: stops the local stack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def down(data: Annotated[Path, typer.Option(help="Folder that `tidings up` was given.")] = Path(".tidings")) -> None:
    """Stop the local stack, what observes it and the exchange of `tidings demo --keep`, and wait until they have ended.
    Data stays for the next `tidings up`."""
    from deploy.local import stack

    stopped = stack.down(data)
    if stopped:
        typer.echo(f"Stopped {', '.join(each.name for each in stopped)}. Data stays in {data}.")
    else:
        typer.echo(f"Nothing of {data} was running.")
