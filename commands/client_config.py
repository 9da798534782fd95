"""`tidings client-config`: every client setting that an agency needs, for stock Kafka clients."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from commands._context import ClusterOption, cluster_of


class Form(StrEnum):
    """For which clients: librdkafka's names as JSON, or a Java properties file."""

    JSON = "json"
    PROPERTIES = "properties"


def client_config(
    agency: Annotated[str, typer.Argument(help="The agency.", show_default=False)],
    form: Annotated[
        Form, typer.Option("--format", help="For librdkafka clients (json) or Java's (properties).")
    ] = Form.JSON,
    cluster: ClusterOption = None,
) -> None:
    """Print AGENCY's settings for a producer, a consumer and the schema registry. No password is printed: the settings
    name the file that holds it, or the Java property to fill in.

    read_committed and the partitioner are in it: without the first a subscriber sees what was never delivered, without
    the second one subject's events land in two partitions.
    """
    import orjson

    from tidings.kafka.client_settings import client_settings, java_properties

    settings = client_settings(cluster_of(cluster), agency)
    if form is Form.JSON:
        typer.echo(orjson.dumps(settings, option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(java_properties(settings), nl=False)
