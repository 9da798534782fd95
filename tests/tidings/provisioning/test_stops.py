"""What is stopped stays stopped until it is lifted."""

from __future__ import annotations

import pytest

from tests.tidings.provisioning.kit import inbox, policy, view
from tidings.policy.codec import policy_hash
from tidings.policy.compile import Stops
from tidings.provisioning.stops import stopped, stops_of, texts_of

BASE = policy(inbox(), inbox("nhs-pds", "birth-notified"), view(), view("hmrc", "tax"))


@pytest.mark.parametrize(
    "stops",
    [
        Stops(),
        Stops(agreements=frozenset({"benefits"})),
        Stops(publishers=frozenset({"gro"})),
        Stops(all=True),
        Stops(frozenset({"tax", "not-in-the-policy"}), frozenset({"gro", "nhs-pds"}), all=True),
    ],
)
def test_stops_come_back_from_a_policy(stops: Stops) -> None:
    """Whatever is stopped, named in the policy or not, is read back from it."""
    assert stops_of(stopped(BASE, stops, 5)) == stops


def test_no_policy_stops_nothing() -> None:
    """Before the first apply nothing is stopped."""
    assert stops_of(None) == Stops()


def test_exactly_what_is_named_is_stopped() -> None:
    """The agreement's views and the publisher's inboxes, no others; the next version, dated and sealed."""
    after = stopped(BASE, Stops(frozenset({"benefits"}), frozenset({"nhs-pds"})), 5)

    assert [each.agreement for each in after.views if each.stopped] == ["benefits"]
    assert [each.agency for each in after.inboxes if each.stopped] == ["nhs-pds"]
    assert (after.version, after.created_at_ms) == (BASE.version + 1, 5)
    assert after.hash == policy_hash(after)


def test_lifting_gives_back_what_was() -> None:
    """Stopped and lifted, inboxes and views are as before."""
    after = stopped(stopped(BASE, Stops(all=True), 5), Stops(), 6)

    assert (after.inboxes, after.views, after.stops) == (BASE.inboxes, BASE.views, ())


def test_the_texts_are_sorted() -> None:
    """Equal stops give equal policies."""
    assert texts_of(Stops(frozenset({"b", "a"}), frozenset({"gro"}), all=True)) == (
        "agreement:a", "agreement:b", "all", "publisher:gro",
    )  # fmt: skip
