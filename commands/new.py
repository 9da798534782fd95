"""`tidings new`: writes the files of a new part, sound as they are, for a developer to change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Write the files of a new part.")

CHECKOUT = Path(__file__).resolve().parents[1]


@app.callback()
def new() -> None:
    """Write the files of a new part: it passes every check as it is, and is then changed to what it should be."""


@app.command()
def processor(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An id: a-z, 0-9 and inner hyphens.")],
    into: Annotated[
        Path | None, typer.Option(help="The checkout to write into; else the one of this code.", show_default=False)
    ] = None,
) -> None:
    """Write a derived processor, its test and its page: it counts what was decided for each publisher, by day.

    Nothing that is there is written over.
    """
    from commands._new_processor import write_processor

    into = into or CHECKOUT
    for path in write_processor(name, into):
        typer.echo(f"written: {path.relative_to(into)}")
    done = subprocess.run(
        [sys.executable, "-c", "from commands import main; main()", "docs"], cwd=into, check=False, capture_output=True
    )
    if done.returncode:
        typer.echo("docs/reference could not be written: run `make docs`", err=True)
        raise typer.Exit(done.returncode)
    typer.echo("written: docs/reference/processors.md")
    typer.echo(f"Next: change what it counts; pytest {_test(name)}; tidings plan; tidings apply; tidings run {name}")


def _test(name: str) -> str:
    return f"tests/stream_processors/derived/test_{name.replace('-', '_')}.py"
