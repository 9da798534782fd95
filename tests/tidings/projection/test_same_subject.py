"""Native and generated Python prove `same_subject`: never what the check faults, and what is common always."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreements.test_example_country import catalogue, policy
from tests.tidings.projection import local
from tidings.agreements.samples import encode_sample, load_samples
from tidings.catalogue import default_catalogue_dir
from tidings.checks import Checker, FolderLists
from tidings.policy.model import CheckRule
from tidings.projection.generate_source import generate
from tidings.projection.native import NativeInbox, native_inbox, native_version
from tidings.projection.program import inbox_program

NOW_MS = 1_780_315_200_000
SCHEMA = local.schema_of()
Prover = Callable[[bytes], bool]
"""Whether the body of an event surely passes."""
_IDS = st.fixed_dictionaries({"scheme": st.sampled_from(["a", "b"]), "value": st.sampled_from(["1", "2", ""])})
_DATES = st.none() | st.fixed_dictionaries(
    {
        "year": st.sampled_from([2019, 2020, 0]),
        "month": st.sampled_from([None, 2, 3]),
        "day": st.sampled_from([None, 1, 30]),
        "time": st.sampled_from([None, None, None, "10:00"]),
        "zone": st.sampled_from([None, None, None, "Z"]),
        "text": st.none(),
        "verification": st.none(),
    }
)


def _rule(first: str, then: str) -> CheckRule:
    params = {"first": first, "then": then}
    return CheckRule(check="same_subject", paths=(first, then), severity="flag", params=params)


def _native(rule: CheckRule) -> Prover:
    inbox = local.inbox(SCHEMA).model_copy(update={"checks": (rule,)})
    made = native_inbox(inbox_program(inbox, [local.view(SCHEMA, {})], "SYNTHETIC", 3), local.KEYS)
    assert isinstance(made, NativeInbox)
    assert made.unproven() == []
    return lambda body: made.proves(body, NOW_MS)


def _generated(rule: CheckRule) -> Prover:
    inbox = local.inbox(SCHEMA).model_copy(update={"checks": (rule,)})
    views = [local.view(SCHEMA, {})]
    made = generate(inbox_program(inbox, views, "SYNTHETIC", 3), inbox, views, local.KEYS)
    assert made is not None
    assert made.unproven == ()
    return lambda body: bool(made.proves(body, made.scan(body)[0], NOW_MS))


PROVERS = {"python": _generated} | ({"native": _native} if native_version() is not None else {})
every_executor = pytest.mark.parametrize("executor", PROVERS)


IDS, DATES = _rule("identifiers", "related.subject"), _rule("occurred_on", "person.born")
PAIRS = {"ids": (IDS, Checker((IDS,), FolderLists())), "dates": (DATES, Checker((DATES,), FolderLists()))}


@cache
def prover(executor: str, kind: str) -> Prover:
    """The proof of the rule of that kind, made once."""
    return PROVERS[executor](PAIRS[kind][0])


@every_executor
@settings(max_examples=100, deadline=None)
@given(identifiers=st.lists(_IDS, max_size=3), others=st.lists(_IDS, max_size=3))
def test_ids_are_proven_exactly_where_the_check_finds_nothing(executor: str, identifiers: Any, others: Any) -> None:
    """Every scheme that both sides have has a value in common: the whole rule, so the proof is no weaker."""
    event = local.event(
        identifiers=[each | {"verified": None} for each in identifiers],
        related=[{"role": "x", "subject": each, "names": []} for each in others],
    )
    checker = PAIRS["ids"][1]

    assert prover(executor, "ids")(local.encode(SCHEMA, event)) == (checker.run(event, NOW_MS) == ())


@every_executor
@settings(max_examples=100, deadline=None)
@given(first=_DATES, then=_DATES)
def test_dates_are_proven_only_where_the_check_finds_nothing(executor: str, first: Any, then: Any) -> None:
    """And always where both are whole dates without time and zone, or one is missing."""
    event = local.event(occurred_on=first)
    event["person"] = event["person"] | {"born": then}
    checker = PAIRS["dates"][1]
    proven = prover(executor, "dates")(local.encode(SCHEMA, event))
    sound = checker.run(event, NOW_MS) == ()
    plain = [each is None or (each["year"] and not each["time"] and not each["zone"]) for each in (first, then)]
    exists = [each is None or each["month"] != 2 or each["day"] != 30 for each in (first, then)]
    whole = [each is None or each["day"] is None or each["month"] is not None for each in (first, then)]

    assert sound or not proven
    if all(plain + exists + whole):
        assert proven == sound


@pytest.mark.skipif(native_version() is None, reason="the native extension is not built")
@pytest.mark.parametrize(
    "event_type", sorted(name for name, each in catalogue().event_types.items() if "message" in str(each.checks))
)
def test_nhs_events_are_decided_natively(event_type: str) -> None:
    """No check of theirs is unproven, and a typical event surely passes them all."""
    inbox = next(each for each in policy().inboxes if each.event_type == event_type)
    views = [view for view in policy().views if view.inbox == inbox.topic]
    engine = native_inbox(inbox_program(inbox, views, "SYNTHETIC", 1), local.KEYS)
    sample = load_samples(default_catalogue_dir())[event_type]["typical"]

    assert isinstance(engine, NativeInbox)
    assert engine.unproven() == []
    assert engine.proves(encode_sample(catalogue().event_types[event_type], sample), NOW_MS)


@pytest.mark.parametrize("event_type", sorted(catalogue().event_types))
def test_generated_python_proves_every_check_of_the_catalogue(event_type: str) -> None:
    """No event type's events are all decoded for a check."""
    inbox = next(each for each in policy().inboxes if each.event_type == event_type)
    views = [view for view in policy().views if view.inbox == inbox.topic]
    made = generate(inbox_program(inbox, views, "SYNTHETIC", 1), inbox, views, local.KEYS)

    assert made is not None
    assert made.unproven == ()
