"""How many events the next transaction may have."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidings.kafka.batch_bound import FIRST_EVENTS, BatchBound
from tidings.kafka.settings import LoopSettings

SETTINGS = LoopSettings(batch_max_events=1_000, batch_max_messages=4_000, work_budget_ms=8_000)
QUICK_S, SLOW_S = 0.1, 6.0

aborts = st.tuples(st.just("abort"), st.integers(0, 1_000), st.just(0.0))
commits = st.tuples(st.just("commit"), st.integers(1, 1_000), st.floats(0, 8))


def after(*steps: tuple[str, int, float]) -> BatchBound:
    """What the steps leave: each event made one message."""
    bound = BatchBound(SETTINGS)
    for what, events, seconds in steps:
        if what == "abort":
            bound.aborted(events)
        else:
            bound.committed(events, events, seconds)
    return bound


def test_an_abort_halves_what_was_aborted() -> None:
    """What was aborted counts, not what was allowed."""
    assert after(("abort", 600, 0)).events() == 300
    assert after(("abort", 600, 0), ("abort", 40, 0)).events() == 20
    assert after(("abort", 600, 0), ("abort", 600, 0)).events() == 150


def test_an_abort_of_no_event_says_nothing() -> None:
    """A policy's switch alone, for one."""
    assert after(("abort", 0, 0)).events() == 1_000


def test_a_quick_commit_doubles_and_a_slow_one_does_not() -> None:
    """Near the budget, twice as many would run it out."""
    halved = ("abort", 200, 0.0)
    assert after(halved, ("commit", 100, QUICK_S)).events() == 200
    assert after(halved, ("commit", 100, SLOW_S)).events() == 100


def test_messages_bound_it_too() -> None:
    """A hundred messages an event and four thousand a transaction."""
    bound = BatchBound(SETTINGS)
    bound.committed(10, 1_000, QUICK_S)
    assert bound.events() == 40


def test_the_first_is_small_whatever_the_messages_will_be() -> None:
    """A backlog under a hundred agreements: not two million messages in the first transaction."""
    bound = BatchBound(LoopSettings())
    assert bound.events() == FIRST_EVENTS
    bound.committed(FIRST_EVENTS, FIRST_EVENTS, QUICK_S)
    assert bound.events() == 2 * FIRST_EVENTS
    bound.committed(FIRST_EVENTS, 100 * FIRST_EVENTS, QUICK_S)
    assert bound.events() == FIRST_EVENTS


@given(steps=st.lists(aborts | commits, max_size=30))
def test_it_stays_within_its_bounds_and_comes_back(steps: list[tuple[str, int, float]]) -> None:
    """Whatever happened, ten quick commits later the bound is the usual one."""
    bound = after(*steps)
    assert 1 <= bound.events() <= 1_000
    for _ in range(10):  # 2**10 is more than the most
        bound.committed(1, 1, QUICK_S)
    assert bound.events() == 1_000


@given(steps=st.lists(aborts | commits, max_size=30))
def test_aborts_in_a_row_come_down_to_one_event(steps: list[tuple[str, int, float]]) -> None:
    """Well before the loop's limit of them."""
    bound = after(*steps)
    for _ in range(10):
        bound.aborted(bound.events())
    assert bound.events() == 1
