"""`tidings plan`: what an apply would change, and above all who would newly see what. Changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from commands._context import COUNTRY, CatalogueOption, ClusterOption, CountryOption, planner
from commands._plan_print import print_plan

CHANGES_DUE = 2


def plan(
    country: CountryOption = COUNTRY,
    catalogue: CatalogueOption = None,
    cluster: ClusterOption = None,
    pages: Annotated[
        Path | None, typer.Option(help="Also write each agreement as a plain-language page into this folder.")
    ] = None,
) -> None:
    """Say what would change: topics, access, quotas, schemas, and which fields which agency would newly see.

    Ends with 0 where nothing would change, 2 where something would and nothing is wrong, 64 where an option is wrong,
    65 where a file is, 75 where the broker or the registry does not answer.
    """
    from tidings.agreements.samples import load_samples
    from tidings.catalogue import default_catalogue_dir

    console = Console()
    with (
        planner(cluster, country, catalogue) as makes,
        console.status("reading the files, the broker and the registry"),
    ):
        made = makes.plan()
    folder = catalogue or default_catalogue_dir()
    print_plan(console, made, load_samples(folder) if made.changes else None)
    if pages is not None:
        from commands._pages import write_pages

        written = write_pages(pages, made.country, made.catalogue, folder)
        console.print(f"{written} agreements written as pages into {pages}")
    raise typer.Exit(CHANGES_DUE if made.changes else 0)
