"""The Risk dashboard: what the risk monitor finds in what flows to each agency."""

from __future__ import annotations

from deploy.grafana.panel import ORANGE, RED, Board, Panel, Query, Row, Unit, Variable
from deploy.grafana.processors import working

_SEVERE = ((2.0, ORANGE), (3.0, RED))
_ALERT = "TidingsHighRisk"

NOW = Row("All agencies", (
    Panel(
        "High", "Findings of high severity.", Unit.COUNT,
        (Query("count(tidings_risk_severity == 3) or vector(0)"),), _ALERT, ((0.5, RED),), now=True, width=8,
    ),
    Panel(
        "Medium", "Findings of medium severity.", Unit.COUNT,
        (Query("count(tidings_risk_severity == 2) or vector(0)"),), _ALERT, ((0.5, ORANGE),), now=True, width=8,
    ),
    Panel(
        "Low", "Findings of low severity.", Unit.COUNT,
        (Query("count(tidings_risk_severity == 1) or vector(0)"),), _ALERT, ((100.0, ORANGE),), now=True, width=8,
    ),
    Panel(
        "The most severe by finding", "1 low, 2 medium, 3 high.", Unit.PLAIN,
        (Query("max by (finding) (tidings_risk_severity)", "{{finding}}"),), _ALERT, _SEVERE, width=12,
    ),
    Panel(
        "The most severe by agency", "1 low, 2 medium, 3 high.", Unit.PLAIN,
        (Query("max by (agency) (tidings_risk_severity)", "{{agency}}"),), _ALERT, _SEVERE, width=12,
    ),
))  # fmt: skip

ONE = Row("One agency", (
    Panel(
        "By agreement", "1 low, 2 medium, 3 high.", Unit.PLAIN,
        (Query('max by (agreement) (tidings_risk_severity{agency="$agency"})', "{{agreement}}"),), _ALERT, _SEVERE,
        width=12,
    ),
    Panel(
        "By finding", "1 low, 2 medium, 3 high.", Unit.PLAIN,
        (Query('max by (finding) (tidings_risk_severity{agency="$agency"})', "{{finding}}"),), _ALERT, _SEVERE,
        width=12,
    ),
))  # fmt: skip

RISK = Board(
    "risk",
    "Tidings: risk",
    "What the risk monitor finds: volumes, people who can be singled out, agreements that reveal too much or end.",
    (NOW, ONE, working("risk-monitor")),
    (Variable("agency", "tidings_risk_severity", "agency"),),
)
