"""`python -m deploy.prometheus`: writes rules and configuration into this folder, or another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.prometheus.files import HOME, files
from deploy.prometheus.runbooks import BASE_URL


def main(
    out: Annotated[Path, typer.Option(help="Where to write.")] = HOME,
    runbooks: Annotated[str, typer.Option(help="Where your operators read docs/runbooks.")] = BASE_URL,
) -> None:
    """Write what Prometheus reads."""
    for name, text in files(runbooks.rstrip("/") + "/").items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    typer.run(main)
