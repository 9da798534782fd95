"""`tidings status`: what runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def status(data: Annotated[Path, typer.Option(help="Folder that `tidings up` was given.")] = Path(".tidings")) -> None:
    """Show each part of the local stack, whether it runs, and where it listens. Exits 3 where a part does not run."""
    from deploy.local.status import parts

    found = parts(data)
    if not found:
        typer.echo(f"No stack in {data}; `tidings up` makes one.")
        raise typer.Exit(3)
    for part in found:
        word = "running" if part.running else "stopped"
        typer.echo(f"{part.name:14} {word:8} {part.address:22} {part.log}")
    if not all(part.running for part in found):
        raise typer.Exit(3)
