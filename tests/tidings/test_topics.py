"""Topic names: made and read in one place, and no name inside another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings import topics

IDS = st.from_regex(r"\A[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?\Z")


def test_names() -> None:
    """As the design words them."""
    assert topics.inbox("gro", "death-registered") == "inbox.gro.death-registered"
    assert topics.feed("dwp", "benefits", 3, "death-registered") == "feed.dwp.benefits.v3.death-registered"
    assert topics.notices("gro") == "notices.gro"


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a_b", "a.b", "a b", "é", "a" * 61, "a\n"])
def test_what_is_no_id_makes_no_name(text: str) -> None:
    """An id never holds a dot, so it never reaches into another's prefix."""
    assert not topics.is_id(text)
    with pytest.raises(ValueError, match="is not an id"):
        topics.inbox(text, "x")


def test_versions_count_from_one() -> None:
    """There is no version 0."""
    with pytest.raises(ValueError, match="counts from 1"):
        topics.feed("dwp", "benefits", 0, "x")


@given(IDS, IDS)
def test_an_inbox_is_read_back(agency: str, event_type: str) -> None:
    """Its parts are what it was made of."""
    assert topics.parse_inbox(topics.inbox(agency, event_type)) == topics.InboxName(agency, event_type)


@given(IDS, IDS, st.integers(1, 999_999_999), IDS)
def test_a_feed_is_read_back(subscriber: str, agreement: str, version: int, event_type: str) -> None:
    """Its parts are what it was made of."""
    name = topics.FeedName(subscriber, agreement, version, event_type)
    assert topics.parse_feed(topics.feed(subscriber, agreement, version, event_type)) == name


@pytest.mark.parametrize("topic", ["feed.dwp.a.v0.e", "feed.dwp.a.1.e", "feed.dwp.a.v1", "feed.dwp.a.v1.e.f", "x"])
def test_other_names_are_no_feed(topic: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is not a feed"):
        topics.parse_feed(topic)


@given(IDS, IDS)
def test_a_prefix_that_ends_in_a_dot_covers_one_agency(one: str, other: str) -> None:
    """`feed.gro.` never covers `feed.gro-test.…`."""
    covered = topics.feed(other, "a", 1, "e").startswith(f"feed.{one}.")

    assert covered == (one == other)


@pytest.mark.parametrize("topic", ["inbox.gro", "inbox.gro.a.b", "feed.gro.a", "inbox..a", "inbox.gro.", ""])
def test_other_names_are_no_inbox(topic: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is not an inbox"):
        topics.parse_inbox(topic)
