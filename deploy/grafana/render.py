"""Makes Grafana's JSON of boards, by Grafana's own typed builders."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.panel import Board, Panel, Variable
from deploy.prometheus.runbooks import page_of

TAG = "tidings"
_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_HEIGHT = 7
_SMALL = 4


def dashboard_json(board: Board, runbooks: str) -> str:
    """A dashboard as Grafana reads it; `runbooks` is where operators read docs/runbooks. The same board, the same
    bytes."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(f"tidings-{board.name}")
        .description(board.what)
        .tags([TAG])
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(dashboard.DashboardLink("Tidings").type(models.DashboardLinkType.DASHBOARDS).tags([TAG]).keep_time(True))
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for variable in board.variables:
        made = made.with_variable(_variable(variable))
    for row in board.rows:
        made = made.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            made = made.with_panel(_panel(panel, runbooks))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def _variable(variable: Variable) -> dashboard.QueryVariable:
    made = (
        dashboard.QueryVariable(variable.name)
        .label(variable.name.capitalize())
        .datasource(_SOURCE)
        .query(f"label_values({variable.metric}, {variable.label})")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
    return made.multi(True).include_all(True) if variable.many else made


def _panel(panel: Panel, runbooks: str) -> Any:
    made: Any = stat.Panel() if panel.now else timeseries.Panel()
    made = (
        made.title(panel.title)
        .description(panel.what)
        .datasource(_SOURCE)
        .unit(panel.unit.value)
        .thresholds(_thresholds(panel))
        .span(panel.width)
        .height(_SMALL if panel.now else _HEIGHT)
        .links(
            [
                dashboard.DashboardLink("Runbook")
                .type(models.DashboardLinkType.LINK)
                .url(runbooks + page_of(panel.alert))
            ]
        )
    )
    if panel.now:
        made = made.color_mode(shapes.BigValueColorMode.VALUE).graph_mode(shapes.BigValueGraphMode.AREA)
    else:
        made = made.min(0).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED)
        )
    for at, query in enumerate(panel.queries):
        target = (
            prometheus.Dataquery()
            .ref_id(chr(ord("A") + at))
            .expr(query.expr)
            .legend_format(query.legend or panel.title)
        )
        made = made.with_target(target)
    return made


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    steps = [models.Threshold(value=None, color=panel.base)]
    steps += [models.Threshold(value=bound, color=colour) for bound, colour in panel.bad]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)
