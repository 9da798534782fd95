"""The generated writer is the careful one, faster: the same bytes, the same refusals."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers._generate_writer import Uncommon, _Source, generate_writer
from producers._writer import Misfit, Write, compile_writer
from producers.simulator import Settings, simulate
from tidings.agreements.samples import load_samples
from tidings.catalogue import default_catalogue_dir, load_catalogue, plain_schema

SCHEMAS = {
    name: plain_schema(each.schema) for name, each in load_catalogue(default_catalogue_dir()).event_types.items()
}
WRITERS = {name: (compile_writer(schema), generate_writer(schema)) for name, schema in SCHEMAS.items()}
SAMPLES = [(name, event) for name, cases in load_samples(default_catalogue_dir()).items() for event in cases.values()]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(st.characters(), max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["scheme", "use", "x"]), inner),
    max_leaves=5,
)


def written(write: Write, event: Any) -> bytes | str:
    """The body, or the path at which the event does not fit."""
    out = bytearray(b"head")
    try:
        write(out, event)
    except Misfit as misfit:
        return misfit.path
    return bytes(out)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a value with each of its keys."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in inside for found in [(value, key), *places(inner)]]


@st.composite
def changed_samples(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> tuple[str, Any]:
    """An event type and a sample of it with one value anywhere replaced by one of `values`, or missing."""
    name, sample = draw(st.sampled_from(SAMPLES))
    event = copy.deepcopy(sample)
    container, key = draw(st.sampled_from(places(event)))
    if draw(st.booleans()):
        del container[key]
    else:
        container[key] = draw(values)
    return name, event


@given(st.data())
def test_the_same_bytes_and_the_same_refusals(data: st.DataObject) -> None:
    """With one value anywhere replaced by anything, or missing, both write the same or refuse at the same path."""
    name, event = data.draw(changed_samples(ANYTHING))
    careful, generated = WRITERS[name]

    assert written(careful, event) == written(generated, event)


def test_what_is_no_floating_number_is_refused_at_its_path() -> None:
    """A double is written by the careful writer's own code: its refusal names the field all the same."""
    event = next(copy.deepcopy(sample) for name, sample in SAMPLES if name == "birth-notified")
    event["gestation_weeks"] = "x"
    assert [written(write, event) for write in WRITERS["birth-notified"]] == ["gestation_weeks"] * 2


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_good_events_need_no_second_writer(name: str) -> None:
    """Samples and simulated events, with or without their nulls, are written by the generated code itself."""
    quick = _Source().run(SCHEMAS[name])
    good = [event for kind, event in SAMPLES if kind == name]
    good += [
        each.event for each in simulate(300, Settings(seed=5, people=5_000, bad_share=0)) if each.event_type == name
    ]
    for event in good:
        for form in (event, {field: value for field, value in event.items() if value is not None}):
            try:
                quick(bytearray(), form)
            except Uncommon:
                pytest.fail("left to the other writer")
