"""`tidings publish`: an agency's own files go in, once, and every record of them is accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands._account import FileAccount, account_of, print_account
from commands._context import ClusterOption
from commands._terminal import printable

if TYPE_CHECKING:
    from commands._published_file import PublishedFile, Told
    from producers.journal import Journal, JournalRecord
    from producers.publisher import EventPublisher
    from tidings.kafka.cluster import Cluster

PROGRESS_RECORDS = 500
GOES_ON = "the same command goes on after the last record that was committed, and publishes nothing twice"


def publish(
    files: Annotated[list[Path], typer.Argument(help="Files in a format that a source connector knows.")],
    agency: Annotated[str, typer.Option("--as", metavar="AGENCY", help="Publish as this agency.")],
    source: Annotated[str | None, typer.Option(help="The connector; else told from the file.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="What the columns of a delimited table mean: a mapping file (YAML).")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for what the exchange decides of each record.")] = False,
    patience: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="With --wait: for how long the exchange may stand still.")
    ] = 60.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say all of it, send nothing; needs no cluster.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each account as a line of JSON.")] = False,
    received_at: Annotated[
        str | None, typer.Option(help="When the file was taken in (ISO 8601 with zone); else its time of last change.")
    ] = None,
    cluster: ClusterOption = None,
) -> None:
    """Read FILES, check each record, publish what is good and say what became of every record.

    Nothing is published twice: broken off at any point, the same command goes on after the last record that was
    committed; of a file that is whole it says so. A file with another content is another file. What became of each
    record is kept in a journal under $TIDINGS_JOURNAL (else ~/.local/state/tidings/journal), without any value.

    Ends with 0 when all was published (with --wait: accepted, flagged ones too, or sent before), with 65 when a record
    was refused here or rejected by the exchange, with 70 when one is in quarantine, with 75 when the cluster is away
    or the exchange did not decide in time: run it again.
    """
    from commands._published_file import Told

    taken_in_ms = _milliseconds(received_at)
    told = Told(source, mapping)
    _refuse_missing([*files, *([mapping] if mapping else [])])
    codes = []
    with _broken_off("nothing was sent" if dry_run else GOES_ON):
        for path in files:
            account, note = (
                (_dry(path, told, agency, taken_in_ms, cluster), "nothing was sent")
                if dry_run
                else _real(path, told, agency, taken_in_ms, cluster, patience if wait else None)
            )
            print_account(account, dry_run=dry_run, note=note, as_json=as_json)
            codes.append(account.exit_code(waited=wait and not dry_run))
    if code := next((each for each in (65, 70, 75) if each in codes), 0):
        raise typer.Exit(code)


@contextmanager
def _broken_off(what_now: str) -> Iterator[None]:
    """At Ctrl-C say what now; the command then ends as every other does."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"Stopped: {what_now}.", err=True)
        raise


def _dry(path: Path, told: Told, agency: str, taken_in_ms: int | None, cluster_file: Path | None) -> FileAccount:
    from commands._judge import judge
    from commands._published_file import PublishedFile
    from producers.publisher import DryPublisher
    from tidings.kafka.cluster import Cluster, default_cluster_file
    from tidings.policy.model import Environment

    where = cluster_file or default_cluster_file()
    environment = Cluster.load(where).environment if where.exists() else Environment.SYNTHETIC
    publisher = DryPublisher(agency, environment)
    with PublishedFile(path, told) as file, _progress(file) as tell:
        account = FileAccount(file.name, file.connector.spec.name)
        received_at_ms = file.changed_ms if taken_in_ms is None else taken_in_ms
        for ordinal, outcome in enumerate(file.outcomes(agency, environment.value, received_at_ms), 1):
            record, _ = judge(ordinal, outcome, publisher)
            account.take(record)
            tell(record)
    return account


def _real(
    path: Path, told: Told, agency: str, taken_in_ms: int | None, cluster_file: Path | None, patience: float | None
) -> tuple[FileAccount, str]:
    from commands._await_decisions import await_decisions
    from commands._context import cluster_of
    from commands._published_file import PublishedFile
    from producers.journal import Journal, journal_folder, journal_path
    from tidings.kafka.admin import Admin

    cluster = cluster_of(cluster_file)
    cluster.password(agency)  # says so where there is no such agency, before its name is made a folder's
    with PublishedFile(path, told) as file:
        where = journal_path(journal_folder(), Admin(cluster, agency).cluster_id(), agency, file.content)
        with Journal(where) as journal:
            note = _send(file, journal, agency, taken_in_ms, cluster)
            if patience is not None:
                await_decisions(cluster, agency, journal, patience)
            return account_of(file.name, file.connector.spec.name, journal.records()), note


def _send(file: PublishedFile, journal: Journal, agency: str, taken_in_ms: int | None, cluster: Cluster) -> str:
    from commands._publish_once import FilePublication

    with _progress(file) as tell:
        publication = FilePublication(file, journal, _checker(cluster, agency), cluster=cluster, agency=agency)
        done = publication.run(taken_in_ms, tell)
    if done.whole_before:
        return "was published before, nothing was sent"
    return f"went on after record {done.went_on_after}, {done.sent} sent now" if done.went_on_after else ""


def _checker(cluster: Cluster, agency: str) -> EventPublisher:
    """Checks and encodes; what is sent goes another way."""
    from producers.publisher import EventPublisher, Nowhere

    return EventPublisher(cluster, agency, sender=Nowhere())


@contextmanager
def _progress(file: PublishedFile) -> Iterator[Callable[[JournalRecord], None]]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, transient=True, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(printable(file.name)), total=file.size_bytes)

        def tell(record: JournalRecord) -> None:
            if record.ordinal % PROGRESS_RECORDS == 0:
                bar.update(task, completed=file.read_bytes())

        yield tell


def _refuse_missing(paths: list[Path]) -> None:
    from tidings.errors import BadInput, Problem

    def is_missing(path: Path) -> bool:
        try:
            return not path.exists()
        except OSError:  # a folder on the way may not be looked into: opening the file says so
            return False

    if missing := [path for path in paths if is_missing(path)]:
        raise BadInput([Problem(str(path), 0, "FILES", "no-such-file", "there is no such file") for path in missing])


def _milliseconds(text: str | None) -> int | None:
    from tidings.errors import BadUsage

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        message = "give an ISO 8601 date and time with its zone, such as 2026-01-31T09:00:00Z"
        raise BadUsage("--received-at", "date-time", message)
    return int(at.timestamp() * 1000)
