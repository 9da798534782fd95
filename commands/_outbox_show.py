"""An outbox's status on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from commands._terminal import printable
from producers.outbox.upkeep import OutboxStatus


def show_status(status: OutboxStatus) -> None:
    """Print slots, refused rows and a sentence on the whole."""
    console = Console(highlight=False)
    table = Table("slot", "relay", "rows waiting", "oldest waits", "last batch")
    for each in status.slots:
        relay = str(each.slot.owner) if each.slot.owned else "-"
        waits = f"{each.waiting_seconds:.1f} s" if each.waiting_rows else "-"
        table.add_row(str(each.slot.slot), relay, str(each.waiting_rows), waits, each.turned_at or "-")
    console.print(table)
    if status.refused:
        refused = Table("refused row", "event type", "event_id", "reasons")
        for row in status.refused:
            reasons = printable(", ".join(row.reasons))
            refused.add_row(str(row.row_id), printable(row.event_type), row.event_id or "(none)", reasons)
        console.print(refused, markup=False)
    console.print(
        f"{status.waiting_rows} rows wait, the oldest for {status.waiting_seconds:.1f} s; "
        f"{status.relays} relays work; {status.refused_rows} rows are refused."
    )
    if status.refused_rows:
        console.print("Mend them, then `tidings outbox retry`.")
