"""What the demo shows: the live table, one record beside what each agency sees of it, and the account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from commands._demo_watch import Counters
from commands._feed_print import lines_of
from commands._terminal import printable
from tidings.account import OUTCOMES, Account

_REASONS = 8
_FIELD_COLUMNS, _AGENCY_COLUMNS = 48, 22
_UNSHOWN = frozenset({"received_at", "source.system", "source.ref", "environment", "deceased.names.use"})


@dataclass
class Live:
    """The numbers of the live table."""

    sent: int = 0
    total: int = 0
    counters: Counters = field(default_factory=lambda: Counters(Counter(), Counter()))
    by_agency: Counter[str] = field(default_factory=Counter)

    def render(self) -> RenderableType:
        """The table as it stands."""
        events = self.counters.events
        head = Text(
            f"events in {self.sent}/{self.total}   decided {self.counters.decided}   "
            + "   ".join(f"{outcome} {count}" for outcome, count in sorted(events.items()))
        )
        latency = "   ".join(f"{name} < {bound} ms" for name, bound in self.counters.latency_below_ms().items())
        agencies = Table("agency", "views delivered", title="deliveries", title_justify="left")
        for agency, count in sorted(self.by_agency.items()):
            agencies.add_row(agency, str(count))
        reasons = Table("reason", "events", title="rejections", title_justify="left")
        for reason, count in self.counters.reasons.most_common(_REASONS):
            reasons.add_row(reason, str(count))
        side = Table.grid(padding=(0, 4))
        side.add_row(agencies, reasons)
        bar = ProgressBar(total=max(1, self.total), completed=self.sent, width=60)
        return Group(
            bar, head, Text(f"end-to-end latency, inbox to committed feed: {latency or 'no delivery yet'}"), side
        )


def show_record(console: Console, event_type: str, event: Mapping[str, Any], views: Mapping[str, Any]) -> None:
    """Print one event's fields, and beside each what every agency's view holds of it, as many agencies abreast as the
    terminal has room for. The event is made up."""
    clear = _paths(event)
    seen = {agency: _paths(view) for agency, view in views.items()}
    paths = [path for path in clear if path not in _UNSHOWN]
    paths += [path for view in seen.values() for path in view if path not in clear]
    abreast = max(1, (console.width - _FIELD_COLUMNS) // _AGENCY_COLUMNS)
    agencies = list(seen)
    console.print(f"[bold]One {event_type} event, and what each agency sees of it[/]", highlight=False)
    for at in range(0, len(agencies), abreast):
        table = Table()
        table.add_column("field", overflow="fold", max_width=_AGENCY_COLUMNS)
        table.add_column("published", overflow="fold", max_width=_AGENCY_COLUMNS)
        for agency in agencies[at : at + abreast]:
            table.add_column(agency.replace(" (", "\n("), overflow="fold", max_width=_AGENCY_COLUMNS + 4)
        for path in dict.fromkeys(paths):
            cells = [seen[agency].get(path, "[dim]-[/]") for agency in agencies[at : at + abreast]]
            table.add_row(path, clear.get(path, ""), *cells)
        console.print(table)


def _paths(record: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, value in lines_of(record):
        found[path] = (
            f"{found[path]}; {escape(printable(str(value)))}" if path in found else escape(printable(str(value)))
        )
    return found


def show_account(console: Console, account: Account, problems: Iterable[str]) -> None:
    """Print the account, counted from the topics, and whether it balances."""
    table = Table(title="The account, counted from the topics themselves", title_justify="left")
    table.add_column("event type")
    for column in OUTCOMES:
        table.add_column(column, justify="right")
    for event_type, row in sorted(account.rows.items()):
        if row["published"]:
            table.add_row(event_type, *(str(row[column]) for column in OUTCOMES))
    totals = [str(sum(row[column] for row in account.rows.values())) for column in OUTCOMES]
    table.add_section()
    table.add_row("all", *totals, style="bold")
    console.print(table)
    console.print("published = accepted + rejected + duplicate + quarantined", highlight=False)
    for version in sorted(account.policies):
        due = sum(count for (_, of), count in account.due.items() if of == version)
        settled = sum(count for (_, of), count in account.settled.items() if of == version)
        console.print(
            f"policy {version}: accepted x agreements in force = {due}; "
            f"delivered + withdrawn + filtered + held = {settled}",
            highlight=False,
        )
    wrong = list(problems)
    console.print("[bold green]The account balances.[/]" if not wrong else "[bold red]The account does not balance:[/]")
    for line in wrong:
        console.print(f"  {line}", highlight=False)
