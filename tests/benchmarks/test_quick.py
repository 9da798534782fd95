"""The quick form of `make bench`: all of it works, every contender's views are the exchange's, and the file has its
shape. No figure is looked at."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.contender import contenders
from benchmarks.contenders.tidings_native import built
from benchmarks.settings import QUICK_EVENTS

# A machine that does much else needs longer than the usual five minutes for a broker and four processes.
pytestmark = [pytest.mark.broker, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a quick run wrote."""
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    done = CliRunner().invoke(app, ["--quick", "--parts", "throughput", "--rounds", "1", "--out", str(path)])
    assert done.exit_code == 0, done.output
    assert path.with_suffix(".md").exists()
    return dict(json.loads(path.read_text()))


def test_every_contender_makes_the_exchanges_views(figures: dict[str, object]) -> None:
    """Each view that each of ours wrote is the reference's; the floor's are constants, and are not compared."""
    found = figures["contenders"]
    assert isinstance(found, dict)
    smoked = {name for name, each in contenders().items() if each.smoke}
    assert smoked == set(found)
    measured = smoked - ({"tidings-native"} if built() else set())
    for name in measured:
        assert found[name]["views_checked"] == (0 if name == "floor" else 3 * QUICK_EVENTS), found[name]


def test_a_contender_has_its_figures(figures: dict[str, object]) -> None:
    """Whoever was measured has a median, a range and processor time; whoever was not, the reason."""
    found = figures["contenders"]
    assert isinstance(found, dict)
    for entry in found.values():
        assert "missing" in entry or {"events_per_second", "range", "cpu_us_per_event"} <= set(entry)


def test_the_file_says_which_machine_and_how_noisy(figures: dict[str, object]) -> None:
    """The machine, and of each part the load before it and what a hypervisor took away."""
    machine, parts = figures["machine"], figures["parts"]
    assert isinstance(machine, dict)
    assert isinstance(parts, dict)
    assert {"processor", "cores", "memory_gb"} <= set(machine)
    assert {"load_before", "steal_share", "seconds"} <= set(parts["throughput"])
