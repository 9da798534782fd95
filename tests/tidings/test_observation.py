"""What a picture of the exchange adds up to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tidings.pictures import FEED, INBOX, WORKER, block, picture
from tidings.observation import GroupSeen


def test_the_slowest_subscriber_is_the_one_whose_oldest_unread_view_is_oldest() -> None:
    """Age counts before number: a thousand views of a second ago are less late than one of an hour ago."""
    many = replace(FEED, agency="ons", groups=(GroupSeen("ons.many", 1, 1_000, 1.0),))
    old = replace(FEED, agency="dwp", groups=(GroupSeen("dwp.a", 1, 5, 9.0), GroupSeen("dwp.old", 0, 1, 3_600.0)))
    seen = picture(feeds=(many, old))

    slowest = seen.slowest()

    assert slowest is not None
    assert slowest.group.group == "dwp.old"


def test_nobody_is_slowest_where_everything_is_read() -> None:
    """A group that has read everything is not behind, nor is a feed without a group."""
    assert picture(feeds=(replace(FEED, groups=(GroupSeen("dwp.a", 1, 0, 0.0),)), FEED)).slowest() is None


def test_the_last_decision_is_the_newest_of_all_partitions() -> None:
    """By the time at which it was decided; None before the first."""
    older, newer = replace(INBOX, block=block(decided_at_ms=1)), replace(INBOX, block=block(decided_at_ms=2))

    assert picture(inboxes=(newer, older, replace(INBOX, block=None))).last_decision() == newer.block
    assert picture(inboxes=(replace(INBOX, block=None),)).last_decision() is None


@pytest.mark.parametrize(("workers", "count"), [((), 1), ((WORKER,), 0)])
def test_inboxes_are_unowned_where_there_is_no_worker(workers: tuple[object, ...], count: int) -> None:
    """The group gives every partition to somebody, where there is anybody."""
    assert len(picture(workers=workers).unowned()) == count
