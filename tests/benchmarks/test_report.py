"""What is made of the figures: the file, the table, the guide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.results import Results
from benchmarks.table import report
from benchmarks.write_docs import BEGIN, END, GUIDE, with_figures

MEASURED: dict[str, Any] = {
    "what": "a loop",
    "events_per_second": 200_000.0,
    "range": [190_000.0, 210_000.0],
    "cpu_us_per_event": 4.25,
    "memory_mb": 60.0,
}


def filled(path: Path, scale: float = 1.0) -> Results:
    """Results with something in every part."""
    results = Results(path, scale)
    results.content["contenders"] = {
        "floor": MEASURED,
        "tidings-native": {**MEASURED, "events_per_second": 150_000.0},
        "kafka-streams": {"what": "in Java", "missing": "no mvn: it cannot be built"},
    }
    results.content["latency_ms"] = {"tidings": {"1000": {"plain": {"p50": 6.0, "p99": 20.5, "max": 31.0}}}}
    results.points("agreements").append({"agreements": 10, "tidings-native": 90_000.0})
    return results


def test_a_part_that_breaks_leaves_what_was_measured(tmp_path: Path) -> None:
    """The file is there, with how noisy it was, and the next run keeps what it does not measure again."""
    path = tmp_path / "bench.json"
    results = filled(path)
    with pytest.raises(KeyError), results.part("latency"):
        raise KeyError
    found = json.loads(path.read_text())
    assert found["contenders"]["floor"]["events_per_second"] == 200_000.0
    assert {"load_before", "steal_share", "seconds"} <= set(found["parts"]["latency"])
    assert Results(path).content["latency_ms"] == results.content["latency_ms"]


def test_the_table_has_shares_of_the_floor_and_says_who_is_missing(tmp_path: Path) -> None:
    """150,000 of 200,000 is 0.750; whoever could not be measured stands there with the reason."""
    with (results := filled(tmp_path / "bench.json")).part("throughput"):
        pass
    text = report(results.content)
    assert "| `tidings-native` | a loop | 150,000 | 190,000 to 210,000 | 0.750 | 4.25 | 60 |" in text
    assert "not measured: no mvn: it cannot be built" in text
    assert "| `tidings` | 1000 | plain | 6.0 | 20.5 | 31.0 |" in text
    assert "| 10 | 90,000.0 |" in text


@pytest.mark.parametrize(("scale", "said"), [(0.2, True), (1.0, False)])
def test_a_shortened_run_says_that_it_is_not_to_be_quoted(tmp_path: Path, scale: float, said: bool) -> None:
    """Short runs flatter some contenders: the table says at what scale it was measured."""
    with (results := filled(tmp_path / "bench.json", scale)).part("throughput"):
        pass
    assert ("At 0.2 of the events" in report(results.content)) == said
    assert ("not to be quoted" in report(results.content)) == said


def test_the_guide_takes_figures_in_their_place(tmp_path: Path) -> None:
    """What stands around them stays; plots that were drawn are shown."""
    with (results := filled(tmp_path / "bench.json")).part("throughput"):
        pass
    (tmp_path / "memory.svg").write_text("<svg/>")
    made = with_figures(f"before\n{BEGIN}old\n{END}after\n", results.content, tmp_path)
    assert made.startswith("before\n")
    assert made.endswith("after\n")
    assert "old" not in made
    assert "(benchmarks/memory.svg)" in made
    assert "latency.svg" not in made


def test_the_guide_has_the_place() -> None:
    """So that `make bench-docs` finds it."""
    text = GUIDE.read_text("utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    with pytest.raises(ValueError, match="no place"):
        with_figures("nothing", {}, GUIDE.parent)
