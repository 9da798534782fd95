"""`tidings publish`: an agency's own files go in, and every record of them is accounted for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands._account import FileAccount, print_account
from commands._terminal import printable

if TYPE_CHECKING:
    from producers.publisher import EventPublisher

PROGRESS_RECORDS = 500


def publish(
    files: Annotated[list[Path], typer.Argument(help="Files in a format that a source connector knows.")],
    agency: Annotated[str, typer.Option("--as", metavar="AGENCY", help="Publish as this agency.")],
    source: Annotated[str | None, typer.Option(help="The connector; else told from the file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say all of it, send nothing; needs no cluster.")] = False,
    received_at: Annotated[
        str | None, typer.Option(help="When the file was taken in (ISO 8601 with zone); else its time of last change.")
    ] = None,
    cluster: Annotated[Path | None, typer.Option(help="The cluster file; else $TIDINGS_CLUSTER.")] = None,
) -> None:
    """Read FILES, check each record, publish what is good and say what became of every record.

    The same file published twice is delivered once: ids and bytes are derived from it, `received_at` from its time of
    last change. Ends with 0 when all was published, 65 when a record was refused here, 75 when the cluster is away.
    """
    from tidings.errors import BadInput, Problem

    if missing := [path for path in files if not path.is_file()]:
        raise BadInput([Problem(str(path), 0, "FILES", "no-such-file", "there is no such file") for path in missing])
    taken_in_ms = _milliseconds(received_at)
    accounts = _run(files, agency, source, dry_run, taken_in_ms, cluster)
    print_account(accounts, dry_run=dry_run)
    if any(each.refused for each in accounts):
        raise typer.Exit(BadInput.exit_code)


def _run(
    files: list[Path],
    agency: str,
    source: str | None,
    dry_run: bool,
    taken_in_ms: int | None,
    cluster_file: Path | None,
) -> list[FileAccount]:
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    from connectors import SNIFFED_BYTES, find_source
    from connectors.sources.base import SourceContext

    publisher, environment = open_publisher(agency, dry_run, cluster_file)
    accounts: list[FileAccount] = []
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with publisher, Progress(*columns, transient=True) as progress:
        for path in files:
            with path.open("rb") as file:
                connector = find_source(path.name, file.read(SNIFFED_BYTES), source)
                file.seek(0)
                stat = path.stat()
                received_at_ms = stat.st_mtime_ns // 1_000_000 if taken_in_ms is None else taken_in_ms
                task = progress.add_task(escape(printable(path.name)), total=stat.st_size)
                account = FileAccount(path.name, connector.spec.name)
                accounts.append(account)
                for outcome in connector.read(file, SourceContext(path.name, agency, environment, received_at_ms)):
                    account.take(outcome, publisher)
                    if account.records % PROGRESS_RECORDS == 0:
                        progress.update(task, completed=file.tell())
                progress.update(task, completed=stat.st_size)
            publisher.flush()
    return accounts


def open_publisher(agency: str, dry_run: bool, cluster_file: Path | None) -> tuple[EventPublisher, str]:
    """A publisher and the environment of its events; a dry one sends nothing and does without a cluster."""
    from producers.publisher import DryPublisher, EventPublisher
    from tidings.kafka.cluster import Cluster, default_cluster_file
    from tidings.policy.model import Environment

    path = cluster_file or default_cluster_file()
    if not dry_run:
        cluster = Cluster.load(path)
        return EventPublisher(cluster, agency), cluster.environment.value
    environment = Cluster.load(path).environment if path.exists() else Environment.SYNTHETIC
    return DryPublisher(agency, environment), environment.value


def _milliseconds(text: str | None) -> int | None:
    from tidings.errors import BadInput, Problem

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        message = "give an ISO 8601 date and time with its zone, such as 2026-01-31T09:00:00Z"
        raise BadInput([Problem("(command line)", 0, "--received-at", "date-time", message)])
    return int(at.timestamp() * 1000)
