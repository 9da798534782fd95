"""The dashboards as files: current, whole, with units, thresholds and runbooks; what they ask exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.grafana.__main__ import HOME, dashboards
from deploy.grafana.boards import BOARDS
from deploy.prometheus.alerts import ALERTS
from deploy.prometheus.runbooks import BASE_URL, page_of
from deploy.prometheus.slos import recordings
from producers.outbox.metrics import OUTBOX_METRICS
from tests.deploy.dashboards import boards, choices, panels, queries
from tidings.metrics import METRICS, Kind

PROVISIONING = HOME.parent / "provisioning"
PANELS = [(name, panel) for name, board in boards().items() for panel in panels(board)]
_SERIES = re.compile(r"\btidings[a-z_:]*[a-z]\w*")


def test_the_checkout_is_current() -> None:
    """What the code makes is what is checked in, byte for byte, and no file more."""
    assert {path.name: path.read_text("utf-8") for path in HOME.glob("*.json")} == dashboards(), "run `make docs`"


def test_there_is_a_dashboard_for_each_view_that_has_metrics() -> None:
    """The ledger has no metrics yet, and no dashboard that would stay empty."""
    assert [board.name for board in BOARDS] == [
        "overview", "agency", "agreement", "worker", "processors", "data-quality", "risk", "outbox",
    ]  # fmt: skip


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=[f"{name}-{panel['title']}" for name, panel in PANELS])
def test_every_panel_can_be_read(board: str, panel: dict[str, Any]) -> None:
    """A title, a sentence, a unit, two colours at least, and a link to a runbook that exists."""
    assert panel["title"]
    assert panel["description"]
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"], board
    assert len(defaults["thresholds"]["steps"]) >= 2
    [link] = panel["links"]
    assert link["url"] in {BASE_URL + page_of(alert.name) for alert in ALERTS}
    assert panel["targets"]


@pytest.mark.parametrize("name", sorted(boards()))
def test_panels_of_a_dashboard_do_not_overlap(name: str) -> None:
    """No two panels claim the same place of the grid, and none is wider than it."""
    taken: set[tuple[int, int]] = set()
    for panel in panels(boards()[name]):
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells


def test_only_series_that_exist_are_asked_for() -> None:
    """Every series in a panel or a variable is recorded by us or stands in the table of metrics."""
    shown = {
        name
        for spec in (*METRICS, *OUTBOX_METRICS)
        for name in (
            (f"{spec.name}_bucket", f"{spec.name}_count", f"{spec.name}_sum")
            if spec.kind is Kind.HISTOGRAM
            else (spec.name,)
        )
    }
    expressions = [*(query.expr for query in queries()), *(choice.metric for choice in choices())]
    asked = {name for expr in expressions for name in _SERIES.findall(expr)}

    assert asked - {each.record for each in recordings()} - shown == set()


def test_every_metric_is_on_a_dashboard() -> None:
    """What is measured is shown somewhere."""
    text = json.dumps([query.expr for query in queries()])

    assert [spec.name for spec in (*METRICS, *OUTBOX_METRICS) if spec.name not in text] == []


@pytest.mark.parametrize("path", sorted(PROVISIONING.rglob("*.yaml")), ids=lambda path: path.parent.name)
def test_grafana_is_told_what_to_load(path: Path) -> None:
    """Provisioning files of version 1, whose addresses and folders come from the environment."""
    content = YAML(typ="safe").load(path.read_text("utf-8"))

    assert content["apiVersion"] == 1
    [entry] = content["datasources" if path.parent.name == "datasources" else "providers"]
    assert entry["type"] == ("prometheus" if path.parent.name == "datasources" else "file")
    assert "${TIDINGS_" in (entry.get("url") or entry["options"]["path"])
