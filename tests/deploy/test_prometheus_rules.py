"""The alerts: made from their tables, checked and tried by Prometheus' own tool, each with a runbook."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.prometheus.alerts import ALERTS
from deploy.prometheus.files import HOME, config_file, files
from deploy.prometheus.runbooks import RUNBOOKS, page_of
from deploy.prometheus.slos import SLOS, WINDOWS, recordings
from producers.outbox.metrics import OUTBOX_METRICS
from tests.needs import need_prometheus
from tidings.metrics import METRICS, Kind

TRIALS = sorted((HOME / "tests").glob("*.yml"))
KINDS = {(alert.name, alert.severity.value) for alert in ALERTS}
_SERIES = re.compile(r"\btidings[a-z_:]*[a-z]\w*")


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool, or skip where there is none and none is required."""
    need_prometheus()
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)  # noqa: S607


@cache
def evaluations() -> list[dict[str, Any]]:
    """Every evaluation of every trial."""
    trials = [YAML(typ="safe").load(path.read_text("utf-8")) for path in TRIALS]
    return [each for trial in trials for test in trial["tests"] for each in test["alert_rule_test"]]


@pytest.mark.parametrize("name", sorted(files()))
def test_the_checkout_is_current(name: str) -> None:
    """What the tables make is what is checked in, byte for byte."""
    assert (HOME / name).read_text("utf-8") == files()[name], "run `make docs` and commit what it writes"


@pytest.mark.prometheus
def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    """`promtool check`: rules and configuration, as checked in and as `tidings observe` writes it."""
    written = tmp_path / "prometheus.yml"
    written.write_text(config_file(str(tmp_path), str(HOME / "rules" / "*.yml"), "1s"), "utf-8")
    # Debian's Prometheus is built without what finds pods, so that alone is left out.
    pods = tmp_path / "kubernetes.yml"
    pods.write_text(
        (HOME / "kubernetes.yml")
        .read_text("utf-8")
        .replace("kubernetes_sd_configs", "dns_sd_configs")
        .replace("- role: pod\n        namespaces:\n          names:\n            - tidings", "- names: [tidings]")
    )
    configs = (HOME / "prometheus.yml", pods, HOME.parent / "compose" / "prometheus.yml")
    for kind, path in (("rules", HOME / "rules" / "tidings.yml"), *(("config", each) for each in configs)):
        checked = promtool("check", kind, path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    assert promtool("check", "config", written).returncode == 0


@pytest.mark.prometheus
@pytest.mark.parametrize("path", TRIALS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_are_quiet_otherwise(path: Path) -> None:
    """`promtool test rules`."""
    tried = promtool("test", "rules", path)

    assert tried.returncode == 0, tried.stdout[-4_000:] + tried.stderr[-4_000:]


@pytest.mark.parametrize("alert", sorted({alert.name for alert in ALERTS}))
def test_every_alert_is_tried_both_ways(alert: str) -> None:
    """The trials hold a time at which it fires, with each severity that it has, and one at which it is quiet."""
    mine = [each["exp_alerts"] for each in evaluations() if each["alertname"] == alert]
    fired = {(alert, one["exp_labels"]["severity"]) for each in mine for one in each}

    assert {kind for kind in KINDS if kind[0] == alert} == fired
    assert any({one["exp_labels"]["severity"] for one in each} < {s for n, s in KINDS if n == alert} for each in mine)


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    """A page each in docs/runbooks, named after the alert, and none left over; all stand in the index."""
    wanted = {page_of(alert.name) for alert in ALERTS}
    index = (RUNBOOKS / "README.md").read_text("utf-8")

    assert {path.name for path in RUNBOOKS.glob("*.md")} == wanted | {"README.md"}
    assert [page for page in sorted(wanted) if f"]({page})" not in index] == []
    for alert in ALERTS:
        assert f"`{alert.name}`" in (RUNBOOKS / page_of(alert.name)).read_text("utf-8")


def test_only_series_that_exist_are_asked_for() -> None:
    """Every series in an expression is recorded by us or stands in the table of metrics."""
    recorded = {each.record for each in recordings()}
    shown = {name for spec in (*METRICS, *OUTBOX_METRICS) for name in _exposed(spec.name, spec.kind)}
    expressions = [*(alert.expr for alert in ALERTS), *(each.expr for each in recordings())]
    asked = {name for expr in expressions for name in _SERIES.findall(expr)}

    assert asked - recorded - shown == set()
    assert recorded >= {slo.series(window) for slo in SLOS for window in WINDOWS}


def test_a_bound_of_the_latency_histogram_is_the_promise() -> None:
    """The promise is counted exactly: its limit is one of the histogram's bounds."""
    [latency] = [spec for spec in METRICS if spec.name == "tidings_latency_seconds"]
    [bound] = set(re.findall(r'le="([\d.]+)"', "".join(each.expr for each in recordings())))

    assert bound in map(str, latency.buckets)


def _exposed(name: str, kind: Kind) -> tuple[str, ...]:
    return (f"{name}_bucket", f"{name}_count", f"{name}_sum") if kind is Kind.HISTOGRAM else (name,)
