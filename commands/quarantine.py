"""`tidings quarantine`: the events on which our own code failed. Coordinates and codes, never a value."""

from __future__ import annotations

from typing import Annotated

import typer

from commands._context import ClusterOption, cluster_of
from tidings.log import Partition

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="List, show and replay events on which our code failed."
)
PlaceArgument = Annotated[
    str, typer.Argument(help="Where the event stands, as INBOX/PARTITION/OFFSET.", show_default=False)
]


@app.callback()
def _quarantine() -> None:
    """List, show and replay events on which our own code failed. Nothing is lost: they stay in their inbox."""


@app.command(name="list")
def list_(cluster: ClusterOption = None) -> None:
    """List what is in quarantine, with the code and where in our code it failed."""
    from rich.console import Console
    from rich.table import Table

    from tidings.kafka.quarantined import causes, held_events
    from tidings.kafka.read import LogReader

    with LogReader(cluster_of(cluster), "admin") as reader:
        held, why = held_events(reader), causes(reader)
    if not held:
        typer.echo("Nothing is in quarantine.")
        return
    table = Table("event", "code", "error", "where", "policy")
    for each in held:
        cause = why.get((each.partition, each.offset))
        place = f"{each.partition.topic}/{each.partition.partition}/{each.offset}"
        told = (cause.code, cause.error, cause.where) if cause else ("", "", "")
        table.add_row(place, *told, str(each.policy_version))
    Console().print(table)


@app.command()
def show(place: PlaceArgument, cluster: ClusterOption = None) -> None:
    """Show what is known of one event in quarantine."""
    from tidings.errors import BadUsage
    from tidings.kafka.quarantined import causes, held_events
    from tidings.kafka.read import LogReader

    partition, offset = _parse(place)
    with LogReader(cluster_of(cluster), "admin") as reader:
        found = [each for each in held_events(reader) if (each.partition, each.offset) == (partition, offset)]
        cause = causes(reader).get((partition, offset))
    if not found:
        raise BadUsage("PLACE", "not-there", f"{place} is not in quarantine; `tidings quarantine list` says what is")
    entry = found[0].entry
    typer.echo(f"event_id       {entry.event_id or '(none)'}")
    typer.echo(f"change         {entry.change or '(not decoded)'}")
    typer.echo(f"policy         {found[0].policy_version}")
    typer.echo(f"decided_at_ms  {found[0].decided_at_ms}")
    if cause is not None:
        typer.echo(f"code           {cause.code}\nerror          {cause.error}\nwhere          {cause.where}")
        typer.echo(f"worker         {cause.worker}\nagain          {'yes' if cause.late else 'no'}")


@app.command()
def replay(
    place: Annotated[str, typer.Argument(help="INBOX/PARTITION/OFFSET, or `all`.", show_default=False)],
    cluster: ClusterOption = None,
) -> None:
    """Ask the exchange to decide events in quarantine again, under the policy in force. They are marked late.

    Only what is in quarantine now, and not asked for yet, can be asked for. Who asks for the same in the same moment
    asks once: nothing is delivered twice.
    """
    from tidings.errors import Fatal
    from tidings.kafka.produce import RecordProducer
    from tidings.kafka.quarantined import asked_for, held_events
    from tidings.kafka.read import LogReader
    from tidings.replays import request_message

    where = cluster_of(cluster)
    wanted = None if place == "all" else _parse(place)
    with LogReader(where, "admin") as reader:
        asked = asked_for(reader)
        held = [each for each in held_events(reader) if (each.partition, each.offset, each.block) not in asked]
    chosen = [each for each in held if wanted is None or wanted == (each.partition, each.offset)]
    if not chosen:
        raise Fatal(f"{'nothing' if wanted is None else place} is in quarantine, or it was asked for already")
    producer = RecordProducer(where, "admin")
    failures: list[Exception] = []
    for each in chosen:
        message = request_message(each.partition, each.offset, each.block)
        producer.send(
            message.topic, message.key, message.value, lambda error: failures.append(error) if error else None
        )
    producer.flush()
    if failures:
        raise failures[0]
    typer.echo(f"{len(chosen)} asked for; `tidings quarantine list` says what is left.")


def _parse(place: str) -> tuple[Partition, int]:
    from tidings.errors import BadUsage

    parts = place.split("/")
    if len(parts) == 3 and parts[1].isdecimal() and parts[2].isdecimal():
        return Partition(parts[0], int(parts[1])), int(parts[2])
    raise BadUsage("PLACE", "place", "give INBOX/PARTITION/OFFSET")
