"""Values that a terminal or a spreadsheet would obey: what counts as one, in whatever format it came."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.sources._values import CONTROL, FORMULA, may_be_unsafe, unsafe, unsafe_fields
from connectors.sources.base import RecordError, finish_event
from tidings.catalogue import default_catalogue_dir

SAMPLES = sorted(default_catalogue_dir().glob("samples/*/pass-*.json"))
TEXTS = st.text(
    st.sampled_from('=+-@\x00\x08\x1f\x7f\x85\u202e\u2066\uff0b\uff1d\uff20\uffff \xa0\u3000\t\r\n1aé"\\'), max_size=6
)
VALUES = st.recursive(st.none() | st.booleans() | TEXTS, lambda inner: st.lists(inner, max_size=4), max_leaves=8)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("=1+1", FORMULA), ("@SUM(A1)", FORMULA), ("+1-cmd|' /C calc'!A0", FORMULA), ("-A1", FORMULA),
        ("  =A1", FORMULA), ("\n=A1", FORMULA), ("\uff1dA1", FORMULA), ("\uff20A1", FORMULA), ("--1+A1", FORMULA),
        ("A\x00", CONTROL), ("\x1b[2J", CONTROL), ("A\x85", CONTROL), ("\u202eA", CONTROL), ("A\uffff", CONTROL),
        ("", None), ("-", None), ("+", None), ("-1.5", None), ("+44 (0)20 7946-0000", None), ("A=B", None),
        ("+01:00", None), ("O'NEIL-JONES", None), ("a@b", None), ("Sïân", None), ("\u200dzwj", None), ("1\n2\t3", None),
    ],
)  # fmt: skip
def test_what_counts(text: str, rule: str | None) -> None:
    """Formulas and hidden characters are unsafe; numbers, signs inside a text and every script are not."""
    assert unsafe(text) == rule


@given(st.dictionaries(st.sampled_from(["a", "b", "=c"]), VALUES))
@example({"a": [" =x"]})
def test_the_quick_look_misses_nothing(event: dict[str, Any]) -> None:
    """Where the quick look at the JSON sees nothing, the walk finds nothing."""
    if list(unsafe_fields(event)):
        assert may_be_unsafe(orjson.dumps(event))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_good_event_is_unsafe(path: Path) -> None:
    """Every sample that must pass has safe values only."""
    assert list(unsafe_fields(json.loads(path.read_text("utf-8")))) == []


def test_an_unsafe_value_refuses_an_event_and_leaves_an_annulment() -> None:
    """The event is refused at the field's path; of an annulment the field goes, and the rest is what it was."""
    path = default_catalogue_dir() / "samples" / "death-registered" / "pass-typical.json"
    event = json.loads(path.read_text("utf-8"))
    event["deceased"]["names"][0]["family"] = "=A1"

    with pytest.raises(RecordError) as refused:
        finish_event("s", "m", dict(event))
    assert (refused.value.field, refused.value.rule) == ("deceased.names.family", FORMULA)

    annulled = event | {"change": "ANNULLED"}
    [cleansed] = finish_event("s", "m", annulled)
    assert (cleansed.field, cleansed.rule) == ("deceased.names.family", "not-in-annulment")
    assert (annulled["deceased"], annulled["record_id"]) == (None, event["record_id"])
    with pytest.raises(RecordError, match="record_id"):
        finish_event("s", "m", annulled | {"record_id": "=A1"})
