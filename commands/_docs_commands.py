"""Reference page of the command line, from the help that typer shows."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import EnumType
from typing import Any

import typer

from commands._docs_markdown import code, page, table


def commands_page() -> str:
    """Every verb and every verb of a group, with arguments and options."""
    from commands import app

    root: Any = typer.main.get_command(app)
    parts = ["`tidings VERB --help` says the same.", *_of_group(root, "tidings")]
    return page("Commands", *parts)


def _of_group(group: Any, name: str) -> Iterator[str]:
    context = typer.Context(group)
    for verb in sorted(group.list_commands(context)):
        command = group.get_command(context, verb)
        yield from _command(command, f"{name} {verb}")


def _command(command: Any, name: str) -> Iterator[str]:
    yield f"## {name}"
    if hasattr(command, "list_commands"):
        yield inspect.cleandoc(command.help or "")
        yield from _of_group(command, name)
        return
    parameters = [each for each in command.get_params(typer.Context(command)) if _is_shown(each)]
    usage = " ".join([name, *(["[OPTIONS]"] if any(map(_is_option, parameters)) else []), *_arguments(parameters)])
    yield f"```\n{usage}\n```"
    yield inspect.cleandoc(command.help or "")
    if parameters:
        rows = ((_names(each), getattr(each, "help", "") or "", _default(each)) for each in parameters)
        yield table(("", "meaning", "unless given"), rows)


def _is_shown(parameter: Any) -> bool:
    return not getattr(parameter, "hidden", False) and parameter.name != "help"


def _is_option(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "option")


def _arguments(parameters: list[Any]) -> Iterator[str]:
    for each in parameters:
        if not _is_option(each):
            yield f"{each.name.upper()}{'…' if each.nargs == -1 else ''}"


def _names(parameter: Any) -> str:
    if not _is_option(parameter):
        return code(parameter.name.upper())
    names = "/".join((*parameter.opts, *parameter.secondary_opts))
    return code(names if parameter.is_flag else f"{names} {_value(parameter)}")


def _value(parameter: Any) -> str:
    """What stands for an option's value: its choices, its metavar, or its name."""
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    if isinstance(annotation, EnumType):
        return "|".join(str(each.value) for each in annotation)  # type: ignore[var-annotated]  # members of any enum
    return str(parameter.metavar or parameter.opts[0].lstrip("-").replace("-", "_").upper())


def _default(parameter: Any) -> str:
    if parameter.required:
        return "must be given"
    value = parameter.default
    if value is None or value is False or value == "" or callable(value) or type(value).__name__ == "Sentinel":
        return ""
    return code(getattr(value, "value", value))
