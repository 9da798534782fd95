"""Every executor makes the same bytes and the same refusals as the reference: on what nobody thought of, on the samples
of the catalogue, on the real files."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import SOURCES
from connectors.sources.base import SourceRecord
from tests.agreements.test_example_country import catalogue, policy
from tests.compliance.sources import read
from tests.tidings.projection import fuzz, local, strategies
from tests.tidings.projection.executors import EXECUTORS, SOME_FLAGS, Factory, Pair
from tidings.agreements.samples import encode_sample
from tidings.catalogue import default_catalogue_dir
from tidings.keys import KeyRing
from tidings.policy.model import Condition, Protection

NOW_MS = 1_780_315_200_000
_KEPT_LEAST = 5
REAL = Path(__file__).resolve().parents[3].parent / "shared" / "data"
_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

every_executor = pytest.mark.parametrize("factory", EXECUTORS.values(), ids=EXECUTORS)


@every_executor
@settings(max_examples=25, deadline=None, suppress_health_check=_QUIET)
@given(data=st.data())
def test_any_event_type_agreement_and_event(factory: Factory, data: st.DataObject) -> None:
    """Whatever the schema, the agreements, the checks and the event, sound or damaged."""
    inbox, views, bodies = data.draw(strategies.worlds())
    pair = Pair(factory, inbox, views, local.KEYS)
    for _ in range(3):
        body = data.draw(bodies)
        pair.outcome(local.SCHEMA_ID, body, NOW_MS, SOME_FLAGS)
        pair.outcome(local.SCHEMA_ID, data.draw(strategies.damaged(body)), NOW_MS)


_TEXTS = {"type": "array", "items": "string"}
_FULL = {"type": "record", "name": "g.Full", "fields": [strategies.field("a", "null"), strategies.field("b", "int")]}
_FORMS: list[tuple[Any, list[Any]]] = [
    ("null", [None]),
    ("string", ["M1 1AE"]),
    (["null", _TEXTS], [None, [], ["M1 1AE", "x"]]),
    ([_TEXTS], [[], ["x"]]),
    ({"type": "array", "items": ["null", _TEXTS]}, [[None, [], ["M1 1AE", "x"]]]),
    ({"type": "array", "items": ["string", "null"]}, [[None, "M1 1AE", "x"]]),
    ({"type": "array", "items": "null"}, [[None, None]]),
    ({"type": "map", "values": "null"}, [{}, {"a": None}]),
    (["null", {"type": "map", "values": "string"}], [None, {}, {"a": "b"}]),
    (_FULL, [{"a": None, "b": 3}]),
    (["null", "g.Full"], [None, {"a": None, "b": 3}]),
    ({"type": "record", "name": "g.Empty", "fields": []}, [{}]),
    (["g.Empty", "null"], [None, {}]),
]
"""Every way in which null, an empty value and arrays stand around one another, with values of each."""


@every_executor
@pytest.mark.parametrize("category", ["plain", "location"])
def test_every_form_of_null_under_every_mask(factory: Factory, category: str) -> None:
    """A field of type null has no bytes; an array and a mask that may give null each have their own index: at the top,
    in a record, in an array of records; live, withdrawn, and without its location."""
    fields = [strategies.field(f"f{at}", form, category) for at, (form, _) in enumerate(_FORMS)]
    one = {
        "type": "record",
        "name": "g.One",
        "fields": [strategies.field(f"f{at}", _named(form)) for at, (form, _) in enumerate(_FORMS)],
    }
    fields += [strategies.field("one", ["null", one], category)]
    fields += [strategies.field("many", {"type": "array", "items": "g.One"}, category)]
    schema = local.schema_of(*fields)
    places = [above + item["name"] for above in ("", "one.", "many.") for item in fields[: len(_FORMS)]]
    nothing = Condition(path="reason", op="in", values=("none",), missing="exclude")
    views = []
    for at, mask in enumerate(strategies.MASKS):
        rules = {path: mask for path in places if mask in strategies.masks_of(strategies.element_at(schema, path))}
        for protected, where in (("without_location", ()), ("full", (nothing,))):
            name = f"a{at}-{protected.replace('_', '-')}"
            views.append(
                strategies.view_of(schema, rules, agreement=name, protected=Protection(protected), where=where)
            )
    pair = Pair(factory, local.inbox(schema), views, local.KEYS)
    for number in range(3):
        values = {f"f{at}": given[min(number, len(given) - 1)] for at, (_, given) in enumerate(_FORMS)}
        for protection, change in (("NONE", "CREATED"), ("LOCATION", "CHANGED")):
            event = local.event(protection=protection, change=change)
            made = {item["name"]: event.get(item["name"]) for item in schema["fields"]}
            made |= {**values, "one": values if number else None, "many": [values] * number}
            assert pair.outcome(local.SCHEMA_ID, local.encode(schema, made), NOW_MS, SOME_FLAGS) == "projected"


def _named(form: Any) -> Any:
    """The form once its records are defined."""
    if isinstance(form, list):
        return [_named(branch) for branch in form]
    return form["name"] if isinstance(form, dict) and "name" in form else form


@cache
def _pairs(factory: Factory) -> dict[str, Pair]:
    """The example country, by event type."""
    return {
        inbox.event_type: Pair(factory, inbox, policy().views, local.KEYS, policy().version)
        for inbox in policy().inboxes
    }


@cache
def _samples() -> list[tuple[str, str, dict[str, Any]]]:
    """Event type, name and event of every sample, those that must fail included."""
    found = []
    for path in sorted((default_catalogue_dir() / "samples").glob("*/*.json")):
        event = json.loads(path.read_text("utf-8"))
        found.append((path.parent.name, path.stem, event.get("event", event)))
    return found


_WITHIN = {
    "optional": (["null", "g.R"], lambda inner: b"\2" + inner, b"\0"),
    "listed": ({"type": "array", "items": "g.R"}, lambda inner: b"\2" + inner + b"\0", b"\0"),
}


@every_executor
@pytest.mark.parametrize("within", _WITHIN.values(), ids=_WITHIN)
@pytest.mark.parametrize("before", [1, 0], ids=["after a plain field", "before it"])
def test_a_record_within_itself(factory: Factory, within: Any, before: int) -> None:
    """Kept whole: what is nested has its own nulls, wherever the field stands in which it is."""
    schema, nested, none = within
    plain, again = strategies.field("plain", "boolean"), strategies.field("again", schema)
    body = none
    for _ in range(3):
        inner = b"\0" + body if before else body + b"\0"
        body = nested(inner)
    record = {"type": "record", "name": "g.R", "fields": [plain, again] if before else [again, plain]}
    reader = local.schema_of(strategies.field("kept", ["null", record]))
    pair = Pair(factory, local.inbox(reader), [local.view(reader, {"kept": "keep"})], local.KEYS)
    event = local.encode(reader, local.event())[:-1] + b"\2" + inner

    assert pair.outcome(local.SCHEMA_ID, event, NOW_MS) == "projected"


@every_executor
def test_all_samples_with_all_agreements(factory: Factory) -> None:
    """Each sample through each agreement of the example country, as it is and of a protected person, each change."""
    event_types = catalogue().event_types
    outcomes = set()
    for name, _, event in _samples():
        pair = _pairs(factory)[name]
        for more in ({}, {"protection": "LOCATION", "change": "CORRECTED"}, {"change": "ANNULLED"}):
            body = encode_sample(event_types[name], event | more)
            outcomes.add(pair.outcome(1, body, NOW_MS, SOME_FLAGS))
    assert "projected" in outcomes


@every_executor
def test_all_truncations_of_samples(factory: Factory) -> None:
    """No prefix of a sample is taken by the one and refused by the other; nor is a sample with a byte more."""
    for name, case, event in _samples():
        if case == "pass-typical":
            body = encode_sample(catalogue().event_types[name], event)
            for bad in [*(body[:length] for length in range(len(body))), body + b"\0"]:
                assert _pairs(factory)[name].outcome(1, bad, NOW_MS) == "refused"


@every_executor
@settings(max_examples=25, deadline=None, suppress_health_check=_QUIET)
@given(data=st.data())
def test_damaged_samples(factory: Factory, data: st.DataObject) -> None:
    """A sample with some bytes changed is refused by both for the same reasons, or is another event to both."""
    name, _, event = data.draw(st.sampled_from(_samples()))
    body = encode_sample(catalogue().event_types[name], event)
    _pairs(factory)[name].outcome(1, data.draw(strategies.damaged(body)), NOW_MS)


@pytest.mark.parametrize("event_type", sorted(catalogue().event_types))
def test_the_corpus(event_type: str) -> None:
    """What fuzzing kept: damaged records of every event type, each of another kind, and all that ever went wrong."""
    judge = fuzz.Judge(event_type)
    records = fuzz.kept(event_type)
    for body in records:
        judge.hold(body)

    assert len(records) >= _KEPT_LEAST


def test_damage_reaches_what_executors_leave_over() -> None:
    """The corpus has refused, flagged and delivered events; a fuzzer that only breaks structure finds nothing."""
    judge = fuzz.Judge("death-registered")
    kinds = [judge.kind(body) for body in fuzz.kept("death-registered")]

    assert [
        word for word in ("undecodable", "delivered", "filtered", "date") if not any(word in each for each in kinds)
    ] == []


def test_an_executor_that_differs_is_found() -> None:
    """The fuzzer's judge is no formality: views of other keys are other bytes."""
    judge = fuzz.Judge("death-registered")
    pair = next(iter(judge.pairs.values()))
    inbox = next(each for each in policy().inboxes if each.event_type == "death-registered")
    pair.made = EXECUTORS["python"](inbox, policy().views, KeyRing(bytes(32)), policy().version)

    with pytest.raises(AssertionError):
        judge.hold(encode_sample(catalogue().event_types["death-registered"], _typical()))


def _typical() -> dict[str, Any]:
    return next(event for name, case, event in _samples() if (name, case) == ("death-registered", "pass-typical"))


@pytest.mark.real_data
@every_executor
def test_all_real_files(factory: Factory) -> None:
    """Every event that a connector makes of a real file."""
    files = [path for path in sorted(REAL.rglob("*")) if path.is_file()]
    if not files:
        pytest.skip("the shared real data is absent")
    count = 0
    for path in files:
        for source in SOURCES:
            for each in read(source, path.read_bytes()):
                if isinstance(each, SourceRecord):
                    body = encode_sample(catalogue().event_types[each.event_type], dict(each.event))
                    _pairs(factory)[each.event_type].outcome(1, body, NOW_MS)
                    count += 1
    assert count > 200
