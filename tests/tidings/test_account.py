"""The account: it balances where it should, and says so where it does not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.tidings.provisioning.kit import inbox, policy, view
from tidings.account import OUTCOMES, Account, FeedHead
from tidings.clock import StillClock
from tidings.decisions import AgreementOutcome, Block, BlockKind, Entry, Outcome, ViewOutcome
from tidings.errors import Finding, ReasonCode
from tidings.releases import Release, ReleaseBlock, ReleaseEntry

ONE, TWO = view("dwp", "one"), view("hmrc", "two", valid_from=date(2026, 7, 1))
ENDED = view("ons", "three", valid_until=date(2026, 3, 1), after_end="corrections")
BOTH = policy(inbox(), ONE, TWO, ENDED)
LIVE = FeedHead("LIVE", 1)


def block(*entries: Entry, version: int = 1, **changes: Any) -> Block:
    """A block of the one inbox, decided on 2026-06-01."""
    plain: dict[str, Any] = {
        "kind": BlockKind.BATCH,
        "inbox": "inbox.gro.death-registered",
        "partition": 0,
        "first_offset": 0,
        "last_offset": len(entries) - 1,
        "previous_hash": bytes(32),
        "policy_version": version,
        "policy_hash": BOTH.hash,
        "decided_at_ms": StillClock().now_ms(),
        "worker": "exchange-main-0",
        "entries": entries,
    }
    return Block(**(plain | changes))


def entry(offset: int, outcome: Outcome, **changes: Any) -> Entry:
    """One entry; what is accepted says what agreement one made of it."""
    made = ViewOutcome[outcome.name] if outcome.accepted else None
    plain: dict[str, Any] = {
        "change": "CREATED" if outcome.accepted else None,
        "agreements": (AgreementOutcome(ONE.feed, made),) if made else (),
    }
    return Entry(offset, outcome, "1", **(plain | changes))


def balanced() -> Account:
    """Two delivered, one of each of the others."""
    account = Account({1: BOTH})
    account.published("death-registered", 6)
    account.decided(
        block(
            entry(0, Outcome.DELIVERED),
            entry(1, Outcome.WITHDRAWN),
            entry(2, Outcome.FILTERED),
            entry(3, Outcome.REJECTED, findings=(Finding(ReasonCode.NULL_KEY),)),
            entry(4, Outcome.DUPLICATE),
            entry(5, Outcome.QUARANTINED),
        )
    )
    account.fed(ONE.feed, "death-registered", [LIVE, FeedHead("WITHDRAWN", 1)])
    return account


def test_what_is_published_is_decided_and_settled() -> None:
    """Every outcome in its column; the agreement that begins in July is due nothing in June."""
    account = balanced()

    assert account.imbalances() == []
    assert {name: column["death-registered"] for name, column in account.table().items()} == {
        "published": 6, "accepted": 3, "rejected": 1, "duplicate": 1, "quarantined": 1,
        "delivered": 1, "withdrawn": 1, "filtered": 1, "held": 0,
    }  # fmt: skip
    assert tuple(account.table()) == OUTCOMES
    assert dict(account.reasons) == {"null_key": 1}
    assert dict(account.feeds) == {ONE.feed: 2}


def test_a_lost_event_shows() -> None:
    """One more published than decided."""
    account = balanced()
    account.published("death-registered", 1)

    assert account.imbalances() == ["death-registered: 7 published, 6 decided"]


@pytest.mark.parametrize(("heads", "settled"), [([], 1), ([LIVE] * 3, 4)])
def test_a_lost_or_repeated_view_shows(heads: list[FeedHead], settled: int) -> None:
    """The feeds hold fewer or more than the agreements in force were due."""
    account = Account({1: BOTH})
    account.published("death-registered", 3)
    account.decided(block(*(entry(n, Outcome.DELIVERED) for n in range(2)), entry(2, Outcome.FILTERED)))
    account.fed(ONE.feed, "death-registered", heads)

    assert account.imbalances() == [
        f"death-registered, policy 1: 3 due to agreements in force, {settled} settled",
    ]


def test_a_view_of_another_policy_shows() -> None:
    """Each policy version balances by itself: a view is settled where its own head says."""
    account = Account({1: BOTH, 2: BOTH.model_copy(update={"version": 2})})
    account.published("death-registered", 1)
    account.decided(block(entry(0, Outcome.DELIVERED), version=2))
    account.fed(ONE.feed, "death-registered", [LIVE])

    assert len(account.imbalances()) == 2


def test_an_ended_agreement_is_due_corrections_only() -> None:
    """After its last day a correction counts for it, a new event does not."""
    account = Account({1: policy(inbox(), ENDED)})
    account.published("death-registered", 2)
    made = (AgreementOutcome(ENDED.feed, ViewOutcome.DELIVERED),)
    account.decided(
        block(
            entry(0, Outcome.FILTERED, agreements=()),
            entry(1, Outcome.DELIVERED, change="CORRECTED", agreements=made),
        )
    )
    account.fed(ENDED.feed, "death-registered", [LIVE])

    assert account.imbalances() == []


def test_what_is_held_is_settled_and_moves_on_when_it_is_released() -> None:
    """Of four views held one is released, one is replaced, one waits and one was stopped; a release that is not in the
    feed shows, and so does one of what was never held."""
    held = ONE.model_copy(update={"hold_seconds": 3_600})
    account = Account({1: policy(inbox(), held)})
    account.published("death-registered", 4)
    account.decided(block(*(entry(n, Outcome.HELD) for n in range(4))))
    settled = (Release.RELEASED, Release.REPLACED, Release.STOPPED)
    account.released(released(held.written_to, *settled))
    assert account.imbalances() == [f"{held.feed}: 1 released, 0 there"]
    account.fed(held.feed, "death-registered", [LIVE])

    assert account.imbalances() == []
    assert account.table()["held"] == {"death-registered": 3}
    account.released(released(held.written_to, Release.REPLACED, Release.REPLACED))
    assert account.imbalances() == [f"{held.feed}: 4 held, 5 settled"]


def released(held: str, *outcomes: Release) -> ReleaseBlock:
    """A block that settles so many views."""
    entries = tuple(ReleaseEntry(at, at + 1, outcome) for at, outcome in enumerate(outcomes))
    return ReleaseBlock(held, 0, bytes(32), 1, "", 0, "window-1", 9, 9, 1, (), entries)


def test_a_replayed_event_leaves_the_quarantine() -> None:
    """Its late entry takes the place of the first one; a repeated quarantine counts once."""
    account = Account({1: BOTH})
    account.published("death-registered", 1)
    account.decided(block(entry(0, Outcome.QUARANTINED)))
    account.decided(block(entry(0, Outcome.QUARANTINED, late=True), kind=BlockKind.REPLAY))
    assert account.table()["quarantined"] == {"death-registered": 1}

    account.decided(block(entry(0, Outcome.DELIVERED, late=True), kind=BlockKind.REPLAY))
    account.fed(ONE.feed, "death-registered", [LIVE])

    assert account.table()["quarantined"] == {"death-registered": 0}
    assert account.imbalances() == []


def test_a_block_of_an_unknown_policy_is_refused() -> None:
    """Nothing can be said of what an unknown policy made due."""
    with pytest.raises(KeyError):
        balanced().decided(block(version=9))
