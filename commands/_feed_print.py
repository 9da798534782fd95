"""Shows one view to a person: the head in a line, then every field that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from commands._terminal import printable

_TIMES = ("recorded_at", "received_at")
_HEAD = ("sequence", "kind", "policy_version", "change", "record_id", "record_version")


def print_view(console: Console, feed: str, key: str, view: Mapping[str, Any]) -> None:
    """Print `view`; fields that are null or empty are left out."""
    change = view.get("change") or ""
    console.print(
        f"[bold]{feed}[/] [dim]#{view['sequence']}[/] {view['kind']} {change} [dim]key {escape(printable(key))}[/]",
        highlight=False,
        soft_wrap=True,
    )
    for path, value in lines_of(view):
        console.print(escape(printable(f"  {path}: {value}")), highlight=False, soft_wrap=True)


def lines_of(view: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every scalar below the head by its dotted path, in order; nulls and empty arrays left out."""
    for name, value in view.items():
        if name not in _HEAD[:4]:
            yield from _below(name, value)


def _below(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if value is None or value == []:
        return
    if isinstance(value, Mapping):
        if "year" in value and "month" in value:
            yield path, _date(value)
            return
        for name, part in value.items():
            yield from _below(f"{path}.{name}", part)
    elif isinstance(value, int) and path.rpartition(".")[2] in _TIMES:
        yield path, datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    elif isinstance(value, list):
        if all(isinstance(part, str | int) for part in value):
            yield path, ", ".join(map(str, value))
            return
        for part in value:
            yield from _below(path, part)
    else:
        yield path, value.hex() if isinstance(value, bytes) else value


def _date(value: Mapping[str, Any]) -> str:
    """A partial date as people write it, what is not known left out."""
    parts = [str(value["year"]).zfill(4), *(f"{value[name]:02}" for name in ("month", "day") if value.get(name))]
    rest = [str(value[name]) for name in ("time", "zone", "text") if value.get(name)]
    return " ".join(["-".join(parts), *rest])
