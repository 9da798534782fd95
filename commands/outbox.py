"""`tidings outbox`: an agency's own PostgreSQL holds its events in a table, and a relay takes them to its inboxes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands._context import AsOption, ClusterOption

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="CONNECTION",
        help="A libpq connection string without password (PGPASSFILE has it); what it does not say, PGHOST, PGSERVICE "
        "and their like do.",
        show_default=False,
    ),
]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Relay events from an agency's own PostgreSQL outbox to its inboxes.",
)


@app.callback()
def _outbox() -> None:
    """Relay events from an agency's own PostgreSQL outbox to its inboxes, exactly once: docs/guides/outbox.md."""


@app.command()
def sql(
    slots: Annotated[
        int,
        typer.Option(help="How many shares subjects are divided into: so many relays can work at once. Fixed."),
    ] = 4,
    wake: Annotated[
        bool,
        typer.Option(
            "--wake/--no-wake",
            help="With the trigger that wakes relays by NOTIFY; without it they look once a second.",
        ),
    ] = True,
) -> None:
    """Print the SQL that creates the outbox: table, slots, functions and roles of least privilege. For psql."""
    from producers.outbox.create_sql import create_sql

    typer.echo(create_sql(slots, wake=wake), nl=False)


@app.command()
def run(
    agency: AsOption,
    database: DatabaseOption = "",
    cluster: ClusterOption = None,
    health_port: Annotated[int, typer.Option(min=0, help="Serve metrics on this port; 0: any free.")] = 0,
    targets: Annotated[
        Path | None,
        typer.Option(
            help="A folder that Prometheus watches (file_sd): say there where metrics are.", show_default=False
        ),
    ] = None,
    sessions: Annotated[
        int,
        typer.Option(min=1, max=64, help="So many relays in this process, each with a session and slots of its own."),
    ] = 2,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when no row waits.")] = False,
) -> None:
    """Relay rows to AGENCY's inboxes until told to stop (Ctrl-C or SIGTERM drains it). Run as many as you like.

    Ends with 0 when it was told to, 75 when the database cannot be reached at the start, 1 where it may not go on.
    """
    from commands._context import cluster_of
    from commands._outbox_run import run_outbox

    run_outbox(cluster_of(cluster), agency, database, health_port, targets, sessions=sessions, until_empty=until_empty)


@app.command()
def status(
    database: DatabaseOption = "",
    listed: Annotated[int, typer.Option("--list", min=0, help="How many refused rows to list.")] = 20,
) -> None:
    """Show what waits, in rows and seconds, which relays work, and which rows were refused and why; nothing of an
    event but its id."""
    from commands._outbox_show import show_status
    from producers.outbox.database import connect
    from producers.outbox.upkeep import read_status

    with connect(database) as connection:
        show_status(read_status(connection, listed))


@app.command()
def retry(
    rows: Annotated[list[int] | None, typer.Argument(help="Refused rows, by row_id.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every refused row.")] = False,
    reason: Annotated[
        str | None, typer.Option(metavar="CODE", help="Those with this reason code.", show_default=False)
    ] = None,
    event: Annotated[
        Path | None, typer.Option(help="The mended event (JSON), for one row.", show_default=False)
    ] = None,
    database: DatabaseOption = "",
) -> None:
    """Put refused rows in again, behind all others and each under a new event_id; the refused rows stay as replaced."""
    from producers.outbox.database import connect
    from producers.outbox.upkeep import retry_rows
    from tidings.errors import BadUsage

    if not (rows or every or reason):
        raise BadUsage("ROWS", "no-rows", "say which: rows, --reason or --all")
    mended = None if event is None else _text(event)
    with connect(database) as connection:
        made = retry_rows(connection, rows or None, reason, mended)
    for old, new in made:
        typer.echo(f"row {old} is replaced by row {new}")
    typer.echo(f"{len(made)} rows wait again")


@app.command()
def purge(
    older_than: Annotated[str, typer.Option("--older-than", metavar="AGE", help="Such as 90d, 12h or 30m.")],
    database: DatabaseOption = "",
) -> None:
    """Take away rows that were sent or replaced longer ago than AGE; what waits or is refused stays."""
    from producers.outbox.database import connect
    from producers.outbox.upkeep import purge_rows

    with connect(database) as connection:
        purged = purge_rows(connection, older_than)
    typer.echo(f"{purged} rows are gone")


def _text(path: Path) -> str:
    from tidings.errors import BadInput, Problem

    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput([Problem(str(path), 0, "--event", "no-such-file", "it cannot be read as UTF-8")]) from None
