"""`tidings docs`: the generated reference, written or held against the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def docs(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; name the pages that are not current and exit 1.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Another folder than docs/reference of this checkout.", show_default=False)
    ] = None,
) -> None:
    """Write docs/reference from the code, the catalogue and the agreements. The same input gives the same bytes."""
    from commands._docs_reference import REFERENCE, reference, stale, write_reference

    folder = REFERENCE if out is None else out
    if not check:
        typer.echo(f"{write_reference(folder)} pages changed in {folder}.")
        return
    found = stale(folder, reference())
    for name in found:
        typer.echo(f"{folder / name}: not current")
    if found:
        typer.echo("Run `make docs`.")
        raise typer.Exit(1)
    typer.echo("The reference is current.")
