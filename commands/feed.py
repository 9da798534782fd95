"""`tidings feed`: what a subscriber sees under one agreement, read with its own credentials."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from commands._context import AsOption, ClusterOption, cluster_of


def feed(
    agreement: Annotated[str, typer.Argument(help="The agreement's name.", show_default=False)],
    agency: AsOption,
    cluster: ClusterOption = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Stop after so many views; 0: all.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, as for another program.")] = False,
) -> None:
    """Print the views of AGREEMENT that AGENCY may read, oldest first, decoded with the registry's schema.

    It is read with AGENCY's own credentials: what the agency may not see is refused by the broker itself.
    """
    from rich.console import Console

    from commands._feed_print import print_view
    from commands._terminal import json_line
    from tidings.errors import Fatal
    from tidings.kafka.admin import Admin
    from tidings.kafka.follow import follow as records_of
    from tidings.kafka.registry import Registry
    from tidings.projection import decode_view
    from tidings.wire import schema_id_of

    where, console = cluster_of(cluster), Console()
    prefix = f"feed.{agency}.{agreement}."
    topics = sorted(name for name in Admin(where, agency).topics() if name.startswith(prefix))
    if not topics:
        raise Fatal(f"{agency} may read no feed of {agreement}: no such agreement is in force for it")
    schemas: dict[int, dict[str, object]] = {}
    with Registry(where, agency) as registry:
        records = records_of(where, agency, topics, going_on=lambda: follow)
        for record in islice(records, limit or None):
            if record.value is None:
                continue
            schema_id = schema_id_of(record.value)
            schema = schemas.get(schema_id) or schemas.setdefault(schema_id, registry.schema(schema_id))
            view = decode_view(schema, record.value)
            key = (record.key or b"").decode()
            if as_json:
                typer.echo(json_line({"feed": record.topic, "key": key, **view}))
            else:
                print_view(console, record.topic, key, view)
