"""The SQL that creates an outbox: table, slots, functions, roles with what each needs and no more."""

from __future__ import annotations

from importlib.resources import files

from tidings.errors import BadUsage

MAX_SLOTS = 64

_WAKE = """\
  IF FOUND THEN
    PERFORM pg_notify('tidings_outbox', '');
  END IF;
"""


def create_sql(slots: int = 4, *, wake: bool = True) -> str:
    """The script, for `psql`. It is one transaction, and changes nothing where the outbox is there already.

    Args:
        slots: into how many shares subjects are divided; so many relays can work at once. Fixed once it is created.
        wake: whether the trigger also wakes relays. If not they look once a second: for databases with thousands of
            small transactions a second, whose commits NOTIFY makes wait for each other (PostgreSQL 15, "NOTIFY").

    Raises BadUsage where `slots` is not from 1 to 64.
    """
    if not 1 <= slots <= MAX_SLOTS:
        message = f"an outbox has 1 to {MAX_SLOTS} slots"
        raise BadUsage("--slots", "slots", message)
    script = files("producers.outbox").joinpath("outbox.sql").read_text("utf-8")
    words = ", and wakes the relays when its transaction commits" if wake else ""
    values = {"slots": str(slots), "last_slot": str(slots - 1), "wake": _WAKE if wake else "", "wake_words": words}
    for name, value in values.items():
        script = script.replace("{" + name + "}", value)
    return script
