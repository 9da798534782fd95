"""Logs: lines of JSON with keys of a closed list, in which events have ids and places and no values."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from stream_processors.counts import NAMED, count_entries
from stream_processors.told import tell
from tests.tidings.pictures import PLACE
from tidings.decisions import Entry, Outcome
from tidings.errors import Finding, ReasonCode
from tidings.logs import Key, configure

CHECKOUT = Path(__file__).resolve().parents[2]
ROOMS = ("tidings", "stream_processors", "commands", "connectors", "producers", "deploy")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged during a test."""
    out = io.StringIO()
    configure("worker-0", out)
    yield out
    structlog.reset_defaults()


def lines(written: io.StringIO) -> list[dict[str, object]]:
    """The lines so far, read back."""
    return [json.loads(line) for line in written.getvalue().splitlines()]


def entry(offset: int, outcome: Outcome, event_id: str | None = "e") -> Entry:
    """A decision with one finding."""
    return Entry(offset, outcome, "2026", event_id=event_id, findings=(Finding(ReasonCode.DATE_ORDER, "occurred_on"),))


def test_a_line_says_when_what_and_who(written: io.StringIO) -> None:
    """One JSON object: time in UTC, level, what happened, which process, and what the call gave."""
    structlog.get_logger("x").warning("access not set", why="asking: _TIMED_OUT")
    [line] = lines(written)

    assert str(line.pop("at")).endswith("Z")
    assert line == {
        "level": "warning",
        "event": "access not set",
        "service": "worker-0",
        "why": "asking: _TIMED_OUT",
    }


def test_a_key_that_nobody_has_judged_is_left_out(written: io.StringIO) -> None:
    """Its value does not come through, and the line says that something is missing."""
    structlog.get_logger("x").info("event rejected", family_name="Jane Doe", offset=1)
    [line] = lines(written)

    assert "Jane" not in written.getvalue()
    assert (line["offset"], line["left_out"]) == (1, 1)


def test_refused_events_are_named_by_id_place_and_reasons(written: io.StringIO) -> None:
    """Rejected and quarantined ones; what was delivered is no news."""
    rejected = entry(7, Outcome.REJECTED, "0b9d")
    tell(PLACE, count_entries([entry(6, Outcome.DELIVERED), rejected, entry(8, Outcome.QUARANTINED, None)]))
    first, second = lines(written)

    where = (first["inbox"], first["partition"], first["offset"])
    assert where == (*PLACE, 7)
    assert (first["event"], first["event_id"], first["reasons"]) == (
        "event rejected",
        "0b9d",
        ["date_order:occurred_on"],
    )
    assert (second["event"], second["level"], second["event_id"]) == ("event quarantined", "error", None)


def test_a_flood_of_rejections_is_counted_after_some(written: io.StringIO) -> None:
    """A publisher that sends nothing right does not fill the disk."""
    tell(PLACE, count_entries(entry(offset, Outcome.REJECTED) for offset in range(NAMED + 90)))

    assert len(lines(written)) == NAMED + 1
    assert lines(written)[-1]["count"] == 90


def test_every_call_in_the_code_uses_listed_keys_and_a_fixed_text() -> None:
    """What happened is a constant, so that no value can be formatted into it; keys come from the list."""
    found = 0
    wrong = []
    for path in (each for room in ROOMS for each in (CHECKOUT / room).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "_log"):
                continue
            found += 1
            text = call.args[1:] if call.func.attr == "log" else call.args  # `log` takes a level first
            fixed = len(text) == 1 and isinstance(text[0], ast.Constant)
            if not fixed or {each.arg for each in call.keywords if each.arg} - set(Key):
                wrong.append(f"{path.name}:{call.lineno}")

    assert found > 10
    assert wrong == []
