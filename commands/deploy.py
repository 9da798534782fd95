"""`tidings deploy`: what an installation in containers needs beside its files: secrets, manifests, first principals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands._context import COUNTRY, SYSTEM_SCHEMAS, CatalogueOption, ClusterOption, CountryOption, cluster_of
from commands.up import Environment

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="What an installation in containers needs beside its files."
)

FolderArgument = Annotated[Path, typer.Argument(help="The folder to make or complete.", show_default=False)]

EnvironmentOption = Annotated[Environment, typer.Option(help="Whether it takes made-up events or real ones.")]


@app.callback()
def _deploy() -> None:
    """What an installation in containers needs beside its files: secrets, manifests, first principals."""


@app.command()
def compose(
    folder: FolderArgument,
    environment: EnvironmentOption = Environment.SYNTHETIC,
) -> None:
    """Make certificates, passwords, keys and settings for deploy/compose/compose.yaml, 0600, for your user alone.

    A second call completes what is missing and changes nothing that is there. No password is printed.
    """
    import os

    from deploy.compose.folder import make_folder
    from tidings.clock import SystemClock

    made = make_folder(folder, environment.value, SystemClock())
    typer.echo(f"TIDINGS_HOME={made}")
    typer.echo(f"TIDINGS_USER={os.getuid()}:{os.getgid()}")


@app.command()
def kubernetes(
    folder: FolderArgument,
    country: CountryOption = COUNTRY,
    catalogue: CatalogueOption = None,
    environment: EnvironmentOption = Environment.SYNTHETIC,
) -> None:
    """Write a Kustomize component with a KafkaTopic for each topic and a KafkaUser, with its quotas, for each agency
    and processor.

    Made from the files alone: no cluster is asked. Access is not in it: `tidings apply` gives it.
    """
    from deploy.kubernetes.manifests import manifests
    from stream_processors.host.discover import load_processors
    from stream_processors.host.needs import needs_of
    from tidings.agreements import load_country
    from tidings.catalogue import default_catalogue_dir, load_catalogue
    from tidings.clock import SystemClock
    from tidings.policy.model import Environment as Kind
    from tidings.provisioning.unnumbered import unnumbered_state

    event_types = load_catalogue(catalogue or default_catalogue_dir())
    processors = load_processors()
    desired = unnumbered_state(
        event_types,
        load_country(country, event_types),
        SYSTEM_SCHEMAS,
        Kind(environment.value),
        SystemClock(),
        lambda policy: [needs_of(each, policy) for each in processors],
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in manifests(desired).items():
        (folder / name).write_text(text, "utf-8")
    typer.echo(f"{len(desired.topics)} topics and {len(desired.quotas)} agencies written into {folder}")


@app.command()
def brokers(cluster: ClusterOption = None) -> None:
    """Give the first principals their credentials, and the registry its rights. Run it once the brokers serve.

    Where Strimzi's KafkaUser holds the credentials (`provisioned_by`), only the rights are given. Can be repeated.
    """
    from deploy.local.registry import ACLS
    from deploy.local.stack import PRINCIPALS
    from tidings.kafka.admin import Admin
    from tidings.kafka.cluster import STRIMZI

    where = cluster_of(cluster)
    admin = Admin(where)
    if where.provisioned_by != STRIMZI:
        admin.set_passwords({name: where.password(name) for name in PRINCIPALS if name != "admin"})
    admin.create_acls(ACLS)
    typer.echo("The brokers know their first principals.")


@app.command()
def in_sync(
    cluster: ClusterOption = None,
    wait_seconds: Annotated[float, typer.Option(min=1, help="How long replicas may take to catch up.")] = 600.0,
) -> None:
    """Wait until every partition has all its replicas in sync: only then may the next broker be stopped."""
    from tidings.kafka.admin import Admin

    Admin(cluster_of(cluster), deadline_seconds=wait_seconds).wait_for_replicas()
    typer.echo("Every partition has all its replicas.")


@app.command()
def registry_settings(
    file: Annotated[Path, typer.Argument(help="The properties file to write, 0600.", show_default=False)],
    cluster: ClusterOption = None,
) -> None:
    """Write the settings of an Apicurio Registry on loopback, beside its gate, with its password in them."""
    from deploy.local.broker import properties
    from deploy.local.files import write_private
    from deploy.local.registry import registry_settings as settings_of

    where = cluster_of(cluster)
    write_private(file, properties(settings_of(where.bootstrap_servers, where.ca_file, where.password("registry"))))


@app.command()
def registry(cluster: ClusterOption = None) -> None:
    """Wait until the registry answers through its gate, and have it enforce compatibility. Can be repeated."""
    from deploy.local.registry import wait

    wait(cluster_of(cluster), ())
    typer.echo("The registry answers, and enforces FULL_TRANSITIVE.")
