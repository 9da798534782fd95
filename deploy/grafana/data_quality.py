"""The Data quality dashboard: how good one publisher's events are, by the scorecards of `data-quality`."""

from __future__ import annotations

from deploy.grafana.panel import ORANGE, RED, REFUSED, Board, Panel, Query, Row, Unit, Variable
from deploy.grafana.processors import working

_TYPE = "{{event_type}}"


def _share(title: str, what: str, measure: str, bad: tuple[tuple[float, str], ...] = REFUSED) -> Panel:
    expr = f'tidings_quality_share{{agency="$agency", measure="{measure}"}}'
    return Panel(title, what, Unit.SHARE, (Query(expr, _TYPE),), "TidingsManyRejections", bad)


SHARES = Row("Of its last day with events", (
    _share("Rejected", "What a check of severity reject did not pass, or was framed wrongly.", "rejected"),
    _share("Flagged", "Accepted, with a doubt.", "flagged"),
    _share("Duplicate", "Published again; told once.", "duplicate"),
    _share("Late", "Decided more than a day after its connector took it in.", "late"),
    _share("Corrected after", "Corrections, annulments, reinstatements: what had been said was wrong.", "corrected"),
    _share("Quarantined", "Our own code failed on it.", "quarantined", ((0.000_001, ORANGE), (0.01, RED))),
))  # fmt: skip

DATA_QUALITY = Board(
    "data-quality",
    "Tidings: data quality",
    "One publisher: what is wrong with its events, by event type. Its scorecards have fields and drift.",
    (SHARES, working("data-quality")),
    (Variable("agency", "tidings_quality_share", "agency"),),
)
