"""The SQL that creates an outbox: table, slots, functions, roles with what each needs and no more."""

from __future__ import annotations

from importlib.resources import files

from tidings.errors import BadInput, Problem

MAX_SLOTS = 64


def create_sql(slots: int = 4, *, wake: bool = True) -> str:
    """The script, for `psql`. It is one transaction, and changes nothing where the outbox is there already.

    Args:
        slots: into how many shares subjects are divided; so many relays can work at once. Fixed once it is created.
        wake: with the trigger that wakes relays. Without it they look once a second: for databases with thousands of
            small transactions a second, whose commits NOTIFY makes wait for each other (PostgreSQL 15, "NOTIFY").

    Raises BadInput where `slots` is not from 1 to 64.
    """
    if not 1 <= slots <= MAX_SLOTS:
        message = f"an outbox has 1 to {MAX_SLOTS} slots"
        raise BadInput([Problem("(command line)", 0, "--slots", "slots", message)])
    home = files("producers.outbox")
    script = home.joinpath("outbox.sql").read_text("utf-8")
    trigger = home.joinpath("wake.sql").read_text("utf-8") if wake else ""
    for name, value in (("slots", str(slots)), ("last_slot", str(slots - 1)), ("wake", trigger)):
        script = script.replace("{" + name + "}", value)
    return script
