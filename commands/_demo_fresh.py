"""The demo's beginning: a fresh secured stack, and the example country applied to it."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from commands._apply import apply_plan
from commands._context import planner
from commands.progress import shown
from deploy.local.stack import Options, Stack, down, up
from tidings.catalogue import Catalogue
from tidings.errors import Fatal
from tidings.policy.model import Policy

if TYPE_CHECKING:
    from rich.console import Console

COUNTRY = Path(__file__).resolve().parent.parent / "agreements"
_MARK = ".demo"


def fresh(console: Console, cleanup: ExitStack, data: Path, *, keep: bool) -> tuple[Stack, Catalogue, Policy]:
    """Start a stack in `data` with nothing in it, and apply the example country.

    What an earlier demo left in `data` is removed. `cleanup` stops the stack at the end, unless `keep`.

    Raises Fatal where `data` holds something that is not a demo's.
    """
    _empty(data)
    with shown() as progress:
        stack = up(Options(data, short_lived=not keep), progress)
        if not keep:
            cleanup.callback(down, data)
    console.print(f"The stack is up: Kafka at {stack.cluster.bootstrap_servers} with TLS, SCRAM and ACLs.")
    with planner(stack.cluster_file, COUNTRY, None) as makes:
        with console.status("compiling the example country's agreements"):
            plan = makes.plan()
        with console.status("applying the example country") as status:
            policy = apply_plan(makes, plan, lambda line: status.update(f"applying: {line}"))
        for each in plan.pending:
            console.print(f"left out {each}", highlight=False)
        console.print(
            f"Policy {policy.version} is in force: {len(policy.views)} feeds of "
            f"{len({view.agreement for view in policy.views})} agreements for "
            f"{len({view.subscriber for view in policy.views})} agencies.",
            highlight=False,
        )
        return stack, makes.catalogue, policy


def _empty(data: Path) -> None:
    if data.exists() and any(data.iterdir()):
        if not (data / _MARK).exists():
            raise Fatal(f"{data} is not empty and not a demo's; name another folder with --data")
        down(data)
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / _MARK).touch(mode=0o600)
