"""A container's command, held to the command line that there is."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from commands import app


def unknown(words: Sequence[str]) -> str | None:
    """What of `tidings WORDS` there is not: a verb or an option. None where all of it is known."""
    command, left = typer.main.get_command(app), list(words)
    while left and hasattr(command, "get_command"):
        found = command.get_command(typer.Context(command), left[0])
        if found is None:
            return f"no verb {left[0]}"
        command, left = found, left[1:]
    known = {name for each in command.get_params(typer.Context(command)) for name in each.opts}
    return next((f"no option {word}" for word in left if word.startswith("--") and word not in known), None)
