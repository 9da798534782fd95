"""Prints what an inbox's program does, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands._explain_measure import HOW, Measured
from commands._terminal import printable
from tidings.projection.explain import CheckExplained, InboxExplained, OpExplained, ViewExplained

_NAMES = {"native": "native", "python": "generated Python", "reference": "reference"}


def print_inbox(console: Console, inbox: InboxExplained, times: Sequence[Measured]) -> None:
    """Scan, checks and the views asked for."""
    console.print(f"\n[bold]{_plain(inbox.topic)}[/]")
    console.print(
        f"  scan: once for all {inbox.view_count} views; {inbox.field_count} fields held to their types, the places of"
        f" {len(inbox.noted)} paths noted",
        soft_wrap=True,
    )
    if inbox.passed_over:
        console.print(f"  passed over: {_plain(', '.join(inbox.passed_over))}", soft_wrap=True)
    for number, how in inbox.versions:
        console.print(f"  writer's version {number}: {how}")
    console.print(_checks(inbox.checks))
    for view in inbox.views:
        _print_view(console, view, [each for each in times if each.feed == view.feed])


def _checks(checks: Iterable[CheckExplained]) -> Table:
    table = Table("check", "of", "severity", "proven by", title="  checks", title_justify="left", box=None)
    for check in checks:
        by = [name for name, proven in (("native", check.native), ("generated Python", check.python)) if proven]
        table.add_row(
            check.check, _plain(", ".join(check.paths) or "the event"), check.severity, ", ".join(by) or "nobody"
        )
    return table


def _print_view(console: Console, view: ViewExplained, times: Sequence[Measured]) -> None:
    console.print(f"\n  [bold]{_plain(view.feed)}[/]")
    console.print(f"  filter: {_plain('; '.join(view.filters) or 'none')}", soft_wrap=True)
    if view.interest_list:
        console.print("  interest list: the feed's key must be in it")
    console.print(f"  protected people: {view.protected}; flags: {'shown' if view.flags else 'not shown'}")
    measured = times[0] if times else None
    table = Table("field", "operation", "cost", "generated Python", *(["us here"] if measured else []), box=None)
    table.add_row("[dim]head[/]", "", "", "", *([_shown(measured.head)] if measured else []))
    for op in view.head:
        _add(table, op, 1, {})
    table.add_row("[dim]body[/]")
    for op in view.body:
        _add(table, op, 1, measured.operations if measured else {})
    console.print(table)
    why = f" ({view.why})" if view.why else ""
    console.print(f"  runs by: [bold]{_NAMES[view.executor]}[/]{_plain(why)}", soft_wrap=True)
    for line in (*view.deferred, *_of_ops((*view.head, *view.body))):
        console.print(f"  left over: {_plain(line)}", soft_wrap=True)
    for each in times:
        whole = _shown(each.microseconds)
        console.print(f"  measured on {each.sample} ({each.event_bytes} B): {whole} us. {HOW}", soft_wrap=True)


def _shown(times: Mapping[str, float]) -> str:
    return ", ".join(f"{_NAMES[name]} {time}" for name, time in times.items())


def _add(table: Table, op: OpExplained, depth: int, times: Mapping[str, Mapping[str, float]]) -> None:
    settings = " ".join(f"{name}={value}" for name, value in op.settings.items())
    table.add_row(
        "  " * depth + _plain(op.path),
        _plain(f"{op.how} {settings}".strip()),
        op.cost or "unknown",
        "by bytes" if op.by_bytes else "decodes the value",
        *([_shown(times[op.path])] if op.path in times else []),
    )
    for part in op.parts:
        _add(table, part, depth + 1, times)


def _of_ops(ops: Iterable[OpExplained]) -> list[str]:
    """Why an operation leaves an event over, once for each reason, with the fields."""
    fields: dict[str, list[str]] = {}

    def add(op: OpExplained) -> None:
        for reason in op.deferred:
            fields.setdefault(reason, []).append(op.path)
        for part in op.parts:
            add(part)

    for op in ops:
        add(op)
    return [f"events with, in {', '.join(paths)}, {reason}" for reason, paths in fields.items()]


def _plain(text: object) -> str:
    return escape(printable(str(text)))
