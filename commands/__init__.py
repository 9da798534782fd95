"""The `tidings` command: one verb a file. A verb's module is imported when the verb is used, and not before."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from typing import Any

import typer
from typer._click.exceptions import UsageError
from typer.core import TyperGroup

from commands._terminal import told_without_values
from tidings.errors import BadUsage

# verb: (module, attribute). A typer.Typer is a group of verbs, a function is one.
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("commands.demo", "demo"),
    "up": ("commands.up", "up"),
    "status": ("commands.status", "status"),
    "top": ("commands.top", "top"),
    "down": ("commands.down", "down"),
    "plan": ("commands.plan", "plan"),
    "explain": ("commands.explain", "explain"),
    "approve": ("commands.approve", "approve"),
    "apply": ("commands.apply", "apply"),
    "stop": ("commands.stop", "app"),
    "new": ("commands.new", "app"),
    "observe": ("commands.observe", "observe"),
    "run": ("commands.run", "app"),
    "publish": ("commands.publish", "publish"),
    "outbox": ("commands.outbox", "app"),
    "simulate": ("commands.simulate", "simulate"),
    "notices": ("commands.notices", "notices"),
    "feed": ("commands.feed", "feed"),
    "deploy": ("commands.deploy", "app"),
    "client-config": ("commands.client_config", "client_config"),
    "quarantine": ("commands.quarantine", "app"),
    "docs": ("commands.docs", "docs"),
}


class _Verbs(TyperGroup):
    """Finds verbs in the table."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the name is typer's
        """Every verb whose module is there, in alphabetical order."""
        return sorted(verb for verb, (module, _) in VERBS.items() if find_spec(module))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - likewise
        """The verb's command, or None where there is no such verb."""
        place = VERBS.get(cmd_name)
        if place is None or not find_spec(place[0]):
            return None
        module, attribute = place
        found = getattr(import_module(module), attribute)
        command = typer.main.get_command(found if isinstance(found, typer.Typer) else _single(found))
        command.name = cmd_name
        _flow(command)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As click does it; a verb that is not there is told with the nearest that is."""
        if args and self.get_command(ctx, args[0]) is None:
            near = get_close_matches(args[0], self.list_commands(ctx), n=1)
            ctx.fail(f"No such command {args[0]!r}{f'; did you mean {near[0]!r}?' if near else '.'}")
        return super().resolve_command(ctx, args)


def _flow(command: Any) -> None:
    """Paragraphs of help are one line each, for the terminal to break: typer keeps the docstring's lines."""
    paragraphs = cleandoc(command.help or "").split("\n\n")
    command.help = "\n\n".join(" ".join(each.split()) for each in paragraphs)
    for each in getattr(command, "commands", {}).values():
        _flow(each)


def _single(function: Any) -> typer.Typer:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(function)
    return app


UsageError.exit_code = BadUsage.exit_code  # typer's own is 2, which of `plan` says that something would change

app = typer.Typer(
    cls=_Verbs,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Tidings: agencies publish life events once; every agency with an agreement to know is told.",
    epilog="Ends with 0 when done, 64 where an option or argument is wrong, 65 where a file or record is, 75 where"
    " something does not answer (try again), 1 or 70 where somebody has to mend something, 130 at Ctrl-C.",
)


@app.callback()
def _tidings() -> None:
    """Tidings: agencies publish life events once; every agency with an agreement to know is told."""


def main() -> None:
    """Run the command line. An error of ours is one clear message with what to do, and its own exit code."""
    with told_without_values():
        app()


if __name__ == "__main__":
    main()
