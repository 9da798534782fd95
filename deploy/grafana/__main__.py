"""`python -m deploy.grafana`: writes the dashboards into this folder, or another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.grafana.boards import BOARDS
from deploy.grafana.render import dashboard_json
from deploy.prometheus.runbooks import BASE_URL

HOME = Path(__file__).resolve().parent / "dashboards"


def dashboards(runbooks: str = BASE_URL) -> dict[str, str]:
    """Every dashboard's JSON by its file name."""
    return {f"{board.name}.json": dashboard_json(board, runbooks) for board in BOARDS}


def main(
    out: Annotated[Path, typer.Option(help="Where to write.")] = HOME,
    runbooks: Annotated[str, typer.Option(help="Where your operators read docs/runbooks.")] = BASE_URL,
) -> None:
    """Write what Grafana reads."""
    out.mkdir(parents=True, exist_ok=True)
    for name, text in dashboards(runbooks.rstrip("/") + "/").items():
        (out / name).write_text(text, "utf-8")


if __name__ == "__main__":
    typer.run(main)
