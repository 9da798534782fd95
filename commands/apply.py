"""`tidings apply`: carries a plan out, publishes the policy and waits until every worker has taken it up."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from commands._apply import apply_plan, decisions_end, wait_for_workers
from commands._context import COUNTRY, CatalogueOption, ClusterOption, CountryOption, cluster_of, planner
from commands._plan_print import print_plan


def apply(
    country: CountryOption = COUNTRY,
    catalogue: CatalogueOption = None,
    cluster: ClusterOption = None,
    wait_seconds: Annotated[float, typer.Option(min=0, help="How long running workers may take to switch.")] = 30.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print the plan.")] = False,
) -> None:
    """Make the broker, the registry and the policy what the files say. Can be repeated; a second one changes nothing.

    An agreement that a side has not approved is left out and named; one that was changed while in force is refused.
    """
    from tidings.agreements.samples import load_samples
    from tidings.catalogue import default_catalogue_dir

    console = Console()
    where = cluster_of(cluster)
    with planner(cluster, country, catalogue) as makes:
        with console.status("reading the files, the broker and the registry"):
            made = makes.plan()
        if not quiet or not made.changes:
            print_plan(console, made, load_samples(catalogue or default_catalogue_dir()) if made.changes else None)
        if not made.changes:
            return
        since = decisions_end(where)
        policy = apply_plan(makes, made, lambda line: console.print(f"  [dim]{line}[/]"))
        if policy == made.in_force:
            console.print(f"Policy {policy.version} stays in force: the workers have nothing to take up.")
            return
        console.print(f"Policy {policy.version} ({policy.hash[:12]}) is published.")
        with console.status("waiting for the workers to take it up"):
            console.print(wait_for_workers(where, policy, since, wait_seconds))
