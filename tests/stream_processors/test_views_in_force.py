"""Which agreements an event is weighed against, by the batch's clock; corrections and protected people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.stream_processors.accounts import account, only_entry, views
from tests.stream_processors.world import BENEFITS, ENDED, FUTURE, STATISTICS, World, event, policy
from tidings.clock import utc_date
from tidings.decisions import Outcome, ViewOutcome
from tidings.policy.in_force import in_force
from tidings.policy.model import View


def at(text: str) -> int:
    """Milliseconds of an ISO time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("view", "now", "change", "expected"),
    [
        (FUTURE, "2026-06-30T23:59:59.999", "CREATED", False),
        (FUTURE, "2026-07-01T00:00:00", "CREATED", True),
        (ENDED, "2026-05-31T23:59:59.999", "CREATED", True),
        (ENDED, "2026-06-01T00:00:00", "CREATED", False),
        (ENDED, "2026-06-01T00:00:00", "CHANGED", False),
        (ENDED, "2026-06-01T00:00:00", "ENDED", False),
        (ENDED, "2026-06-01T00:00:00", "CORRECTED", True),
        (ENDED, "2036-06-01T00:00:00", "ANNULLED", True),
        (ENDED, "2026-06-01T00:00:00", "REINSTATED", True),
        (BENEFITS, "2026-12-31T23:59:59.999", "CREATED", True),
        (BENEFITS, "2027-01-01T00:00:00", "ANNULLED", False),
        (BENEFITS.model_copy(update={"stopped": True}), "2026-06-01T00:00:00", "CREATED", False),
        (ENDED.model_copy(update={"stopped": True}), "2026-06-01T00:00:00", "ANNULLED", False),
    ],
)
def test_validity_is_by_utc_days_inclusive(view: View, now: str, change: str, expected: bool) -> None:
    """From the start of the first day to the end of the last; after it corrections, where the agreement says so."""
    assert expected == in_force(view, utc_date(at(now)), change)


def test_an_ended_agreement_still_hears_of_corrections() -> None:
    """After its end it gets no new death, yet hears that an old one was wrong."""
    world = World(policy(views=(ENDED,)))
    world.publish(event(1))
    world.publish(event(5, change="ANNULLED"))
    world.loop.drain()

    assert [view["change"] for view in views(world, ENDED)] == ["ANNULLED"]
    assert account(world) == {"filtered": 1, "delivered": 1}


def test_the_clock_is_read_once_a_batch() -> None:
    """An agreement that begins tonight gets what is decided after midnight, whenever it was published."""
    world = World(policy(views=(FUTURE,)))
    world.publish(event(1))
    world.loop.drain()
    world.clock.advance(31 * 86_400)
    world.publish(event(2))
    world.loop.drain()

    assert len(views(world, FUTURE)) == 1


def test_a_change_that_no_longer_passes_is_withdrawn_and_says_nothing_else() -> None:
    """Whoever holds a record that left its filter hears the derived record_id; a CREATED is filtered instead."""
    world = World(policy(views=(BENEFITS,)))
    abroad = {"use": "HOME", "lines": [], "postcode": None, "country": "FR"}
    world.publish(event(1))
    world.publish(event(9, record_id="R/1", change="CORRECTED", usual_residence=abroad))
    world.publish(event(2, usual_residence=abroad))
    world.loop.drain()
    first, second = views(world, BENEFITS)

    assert (first["kind"], second["kind"]) == ("LIVE", "WITHDRAWN")
    assert first["record_id"] == second["record_id"]
    assert account(world) == {"delivered": 1, "withdrawn": 1, "filtered": 1}


def test_protected_people_reach_only_agreements_that_say_so() -> None:
    """`protected: none` filters the event; `full` gets it."""
    world = World()
    world.publish(event(1, protection="LOCATION"))
    world.loop.drain()
    made = {outcome.agreement: outcome.outcome for outcome in only_entry(world).agreements}

    assert made == {BENEFITS.feed: ViewOutcome.FILTERED, STATISTICS.feed: ViewOutcome.DELIVERED}
    assert only_entry(world).outcome is Outcome.DELIVERED
