"""The sketch against exact counting, and what a schema says of its fields."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_processors.derived import _risk_sketch as sketch
from stream_processors.derived._risk_fields import combination, told, values_at
from stream_processors.host.declaration import Json
from tests.stream_processors import world

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), max_size=200)


def sketched(pairs: list[tuple[int, int]]) -> dict[int, Json]:
    """Rows by bucket, as the processor makes them."""
    rows: dict[int, Json] = {}
    for number, subject in pairs:
        its, who = sketch.hash_of(b"c%d" % number), sketch.hash_of(b"s%d" % subject)[:8]
        bucket = sketch.bucket_of(its)
        if sketch.takes(rows.get(bucket), its, who):
            rows[bucket] = sketch.add(rows.get(bucket), its, who)
    return rows


@given(PAIRS, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_makes_a_difference(pairs: list[tuple[int, int]], rng: random.Random) -> None:
    """And what it says it would not take would have changed nothing."""
    again = [*pairs, *pairs]
    rng.shuffle(again)
    plain: dict[int, Json] = {}
    for number, subject in pairs:
        its, who = sketch.hash_of(b"c%d" % number), sketch.hash_of(b"s%d" % subject)[:8]
        plain[sketch.bucket_of(its)] = sketch.add(plain.get(sketch.bucket_of(its)), its, who)

    assert sketched(pairs) == sketched(again) == plain


@given(PAIRS, st.integers(0, 200))
def test_two_windows_make_one(pairs: list[tuple[int, int]], at: int) -> None:
    """Merged they are what one sketch of all is."""
    one, other, whole = sketched(pairs[:at]), sketched(pairs[at:]), sketched(pairs)

    assert {n: sketch.merge((one.get(n), other.get(n))) for n in whole} == whole


@given(PAIRS)
def test_few_combinations_are_counted_exactly(pairs: list[tuple[int, int]]) -> None:
    """While no bucket is full it is a count."""
    subjects: dict[int, set[int]] = defaultdict(set)
    for number, subject in pairs:
        subjects[number].add(subject)
    rows = sketched(pairs)
    says = sketch.shared(rows.values())
    if any(len(row) >= sketch.IN_BUCKET for row in rows.values()):
        return
    amount = len(subjects)

    assert (says.combinations, says.sampled) == (amount, amount)
    assert says.unique_share == pytest.approx(sum(len(s) == 1 for s in subjects.values()) / amount if amount else 0)
    assert says.few_share == pytest.approx(
        sum(len(s) < sketch.FEW for s in subjects.values()) / amount if amount else 0
    )


def test_many_are_estimated() -> None:
    """Of 20,000 combinations a third has one subject, a third three, a third eight: within what the page promises."""
    pairs = [(number, subject) for number in range(20_000) for subject in range((1, 3, 8)[number % 3])]
    rows = sketched(pairs)
    says = sketch.shared(rows.values())

    assert says.sampled == sketch.BUCKETS * sketch.IN_BUCKET
    assert says.combinations == pytest.approx(20_000, rel=0.1)
    assert says.unique_share == pytest.approx(1 / 3, abs=0.06)
    assert says.few_share == pytest.approx(2 / 3, abs=0.06)
    assert max(len(str(row)) for row in rows.values()) < 1_500


def test_what_names_a_person_and_what_singles_one_out() -> None:
    """By the schema that the agreement gave: names name, a pseudonym tells nothing, the rest combines."""
    named = told(world.BENEFITS.view_schema)
    rules = {
        "subject": "pseudonym", "deceased.sex": "keep", "deceased.date_of_birth": ("generalise", {"to": "decade"}),
        "usual_residence.postcode": ("generalise", {"to": "postcode_area"}), "occurred_on": "keep",
        "cause_of_death": "redact",
    }  # fmt: skip
    quiet = told(world.view("quiet", rules).view_schema)

    assert any(each.names_a_person and each.path.startswith("deceased.names.") for each in named)
    assert not any(each.names_a_person for each in quiet)
    paths = {each.path for each in quiet if each.is_quasi}
    assert paths >= {
        "deceased.sex", "deceased.date_of_birth", "usual_residence.postcode", "occurred_on.year", "occurred_on.day",
    }  # fmt: skip
    assert not any(path.startswith(("subject", "cause_of_death", "recorded_at", "record_id")) for path in paths)


def test_values_are_found_wherever_they_stand() -> None:
    """In lists, too; nothing is found in what is null, and nothing makes no combination."""
    view = {"a": [{"b": 1}, {"b": None}, {"b": 2}], "c": None, "d": []}

    assert values_at(view, ["a", "b"]) == [1, 2]
    assert values_at(view, ["c", "x"]) == values_at(view, ["d"]) == values_at(view, ["z"]) == []
    assert combination(view, [["c"], ["d"]]) is None
    assert combination(view, [["a", "b"], ["c"]]) == b"[[1,2],[]]"
