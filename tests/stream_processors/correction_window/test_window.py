"""The correction window after the exchange, in memory: what a subscriber reads, when, and what is written of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.memory_log import Fate
from tests.stream_processors.accounts import check_sequences, entries
from tests.stream_processors.correction_window.kit import (
    HELD,
    HELD_BENEFITS,
    HOUR_S,
    HeldWorld,
    feed,
    held_policy,
    releases,
    settled,
)
from tests.stream_processors.world import STATISTICS, event
from tidings import metrics
from tidings.decisions import GENESIS, Outcome, ViewOutcome
from tidings.errors import Fatal
from tidings.log import Message, Partition, Position
from tidings.releases import Release

ABROAD = {"use": "HOME", "lines": [], "postcode": None, "country": "FR"}


def of_one(number: int, change: str = "CREATED", **more: Any) -> dict[str, Any]:
    """An event about one record of one person."""
    return event(1, event_id=event(number)["event_id"], change=change, **more)


def annulment(number: int) -> dict[str, Any]:
    """It needs only its head: the filter on where the person lived does not find them, and the view is a withdrawal."""
    return of_one(number, "ANNULLED", deceased=None, usual_residence=None)


def changes(world: HeldWorld) -> list[str | None]:
    """What the subscriber reads, in order: each view's change, or WITHDRAWN."""
    return ["WITHDRAWN" if view["kind"] == "WITHDRAWN" else view["change"] for view in feed(world)]


def test_a_view_waits_for_its_hold_and_the_evidence_says_so() -> None:
    """Nobody can read it before; then it is what a direct feed would have held, its sequence counted anew."""
    at_once = HELD_BENEFITS.model_copy(update={"hold_seconds": None})
    world, direct = HeldWorld(), HeldWorld(held_policy(views=(at_once,)))
    world.pass_on(of_one(1))
    direct.pass_on(of_one(1))
    world.later(HOUR_S - 1)
    assert feed(world) == []
    assert world.window_metrics.value(metrics.HELD_VIEWS, "benefits", "death-registered") == 1
    assert world.window_metrics.value(metrics.HELD_SECONDS, "benefits", "death-registered") == HOUR_S - 1
    world.later(1)

    assert feed(world) == feed(direct)
    assert [record.value for record in world.log.all(HELD_BENEFITS.feed)] == [
        record.value for record in direct.log.all(HELD_BENEFITS.feed)
    ]
    [entry] = entries(world).values()
    assert [(each.agreement, each.outcome) for each in entry.agreements] == [
        (HELD_BENEFITS.feed, ViewOutcome.HELD),
        (STATISTICS.feed, ViewOutcome.DELIVERED),
    ]
    assert settled(world) == {Release.RELEASED: 1}
    assert world.window_metrics.value(metrics.HELD_VIEWS, "benefits", "death-registered") == 0


def test_an_event_that_only_waits_is_held() -> None:
    """With no other agreement about it."""
    world = HeldWorld(held_policy(views=(HELD_BENEFITS,)))
    world.pass_on(of_one(1))
    [entry] = entries(world).values()

    assert entry.outcome is Outcome.HELD


def test_an_annulment_and_its_re_creation_arrive_as_one_correction() -> None:
    """What was released stays as it is until the correction comes, an hour after the re-creation."""
    world = HeldWorld()
    world.pass_on(of_one(1))
    world.later(HOUR_S)
    world.pass_on(annulment(2))
    world.later(HOUR_S - 60)
    world.pass_on(of_one(3, deceased={"names": [{"use": "OFFICIAL", "family": "Mended", "given": []}]}))
    world.later(HOUR_S - 1)
    assert changes(world) == ["CREATED"]
    world.later(1)

    assert changes(world) == ["CREATED", "CORRECTED"]
    assert feed(world)[1]["deceased"]["names"][0]["family"] == "Mended"
    assert feed(world)[1]["record_id"] == feed(world)[0]["record_id"]
    assert settled(world) == {Release.RELEASED: 1, Release.REPLACED: 1, Release.CORRECTED: 1}
    check_sequences(world, HELD_BENEFITS.feed)


def test_an_event_that_is_annulled_while_it_waits_is_never_sent() -> None:
    """Its annulment is, alone: nothing of what was wrong, yet nobody who knows the record is left without it."""
    world = HeldWorld()
    world.pass_on(of_one(1))
    world.later(60)
    world.pass_on(annulment(2))
    world.later(HOUR_S)

    assert changes(world) == ["WITHDRAWN"]
    assert settled(world) == {Release.RELEASED: 1, Release.REPLACED: 1}


def test_a_held_event_its_annulment_and_its_re_creation_arrive_as_one_correction() -> None:
    """And its annulment again, and its re-creation again."""
    world = HeldWorld()
    for made in (of_one(1), annulment(2), of_one(3), annulment(4), of_one(5)):
        world.pass_on(made)
        world.later(60)
    world.later(HOUR_S)

    assert changes(world) == ["CORRECTED"]
    assert settled(world) == {Release.CORRECTED: 1, Release.REPLACED: 4}


def test_a_re_creation_after_the_annulment_went_is_a_creation() -> None:
    """The window is over: both arrive, in their order."""
    world = HeldWorld()
    world.pass_on(annulment(1))
    world.later(HOUR_S)
    world.pass_on(of_one(2))
    world.later(HOUR_S)

    assert changes(world) == ["WITHDRAWN", "CREATED"]


def test_another_record_of_the_same_person_stays_as_it_is() -> None:
    """An annulment finds the re-creation of its own record only; order is kept."""
    world = HeldWorld()
    world.pass_on(annulment(1), of_one(2, record_id="R/other"), of_one(3, "CHANGED"))
    world.later(HOUR_S)

    assert changes(world) == ["WITHDRAWN", "CREATED", "CHANGED"]


@pytest.mark.parametrize("early", [True, False])
def test_a_stop_wins(early: bool) -> None:
    """What waits when an agreement is stopped is never sent, though the stop is lifted again; the evidence says so."""
    world = HeldWorld()
    world.pass_on(of_one(1))
    if not early:
        world.clock.advance(2 * HOUR_S)
    world.policy = held_policy(2, (HELD_BENEFITS.model_copy(update={"stopped": True}), STATISTICS))
    world.window.drain()
    world.policy = held_policy(3)
    world.later(2 * HOUR_S)
    assert feed(world) == []
    assert settled(world) == {Release.STOPPED: 1}
    world.pass_on(event(5))
    world.later(HOUR_S)

    assert changes(world) == ["CREATED"]
    check_sequences(world, HELD_BENEFITS.feed)


def test_what_an_agreement_left_behind_is_settled_as_stopped() -> None:
    """An agreement that is no longer in the policy releases nothing; its topic is read until that is written down."""
    world = HeldWorld()
    world.pass_on(of_one(1))
    world.policy = held_policy(2, (STATISTICS,))
    assert world.window.handler.inboxes() == [HELD]
    world.window.drain()

    assert settled(world) == {Release.STOPPED: 1}
    assert world.window.handler.inboxes() == []


def test_after_its_last_day_an_agreement_releases_corrections_only() -> None:
    """The same rule as for a direct feed, by the day of the release."""
    ends = HELD_BENEFITS.model_copy(
        update={"valid_until": HELD_BENEFITS.valid_from.replace(month=6), "after_end": "corrections"}
    )
    world = HeldWorld(held_policy(views=(ends,)))
    world.clock.advance(11.5 * HOUR_S)
    world.pass_on(of_one(1), event(2, change="CORRECTED"))
    world.later(HOUR_S)

    assert changes(world) == ["CORRECTED"]
    assert settled(world) == {Release.RELEASED: 1, Release.STOPPED: 1}


@pytest.mark.parametrize("fate", [fate for fate in Fate if fate is not Fate.COMMIT])
def test_a_release_that_is_broken_off_is_made_once(fate: Fate) -> None:
    """Aborted, killed before or after the commit: one view, one entry."""
    world = HeldWorld()
    world.pass_on(of_one(1), annulment(2), of_one(3), event(2))
    world.clock.advance(HOUR_S)
    world.window.turn(fate=fate)
    world.window.drain()

    assert sorted(changes(world), key=str) == ["CORRECTED", "CREATED"]
    assert settled(world) == {Release.RELEASED: 1, Release.CORRECTED: 1, Release.REPLACED: 2}
    check_sequences(world, HELD_BENEFITS.feed)


def test_a_restart_finds_what_was_replaced_and_waits() -> None:
    """An annulment whose own hold is over, while its re-creation waits: the next window knows of both."""
    world = HeldWorld()
    world.pass_on(annulment(1))
    world.later(60)
    world.pass_on(of_one(2, record_id="R/other"))
    world.later(HOUR_S - 120)
    world.pass_on(of_one(3))
    world.later(120)
    assert changes(world) == ["CREATED"]
    [last] = [blocks[-1] for blocks in releases(world).values() if blocks]
    assert last.waiting == (0,)
    world.window.restart()
    world.later(HOUR_S)

    assert changes(world) == ["CREATED", "CORRECTED"]


def test_a_view_that_is_gone_stops_the_window() -> None:
    """Held sequences have no gaps: what is missing is seen, at once or at a restart."""
    world = HeldWorld()
    world.pass_on(of_one(1))
    [record] = world.log.all(HELD)
    world.log.append(Message(HELD, record.partition, record.key, record.value))

    with pytest.raises(Fatal, match="held sequence 1 follows 1"):
        world.window.drain()
    where = Partition(HELD, record.partition)
    world.log.positions[where] = Position(where, record.offset + 5, GENESIS)
    with pytest.raises(Fatal, match="held sequence 1 follows 1"):
        world.window.restart()


def test_what_is_no_view_stops_the_window() -> None:
    """Only the exchange writes there."""
    world = HeldWorld()
    world.log.append(Message(HELD, 0, b"key", b"no view"))

    with pytest.raises(Fatal, match="cannot be read"):
        world.window.drain()
