"""The Processors dashboard: each derived processor beside the others, whether it works and how far behind it is."""

from __future__ import annotations

from deploy.grafana.panel import EMPTY, FLOWS, ORANGE, RED, Board, Panel, Query, Row, Unit, Variable

_RATE = "[$__rate_interval]"
_MINE = '{worker=~"$worker"}'
_NAME = "{{worker}}"
_ALERT = "TidingsProcessorSetsAside"

STATE = Row("State", (
    Panel(
        "Answers", "Whether Prometheus reaches it.", Unit.FLAG,
        (Query('up{job="processor", worker=~"$worker"}', _NAME),), "TidingsProcessorDown", ((1.0, "green"),), base=RED,
        now=True, width=8,
    ),
    Panel(
        "Set aside", "Events on which it failed, in half an hour.", Unit.COUNT,
        (Query(
            'sum by (worker) (increase(tidings_processor_events_total{outcome="set_aside", worker=~"$worker"}[30m]))',
            _NAME,
        ),),
        _ALERT, EMPTY, now=True, width=8,
    ),
    Panel(
        "Age when worked in", "Of its last event.", Unit.SECONDS,
        (Query(f"max by (worker) (tidings_processor_lag_seconds{_MINE})", _NAME),), "TidingsProcessorDown",
        ((600.0, ORANGE), (3_600.0, RED)), width=8,
    ),
))  # fmt: skip

WORK = Row("Work", (
    Panel(
        "Events read", "A second.", Unit.PER_SECOND,
        (Query(f"sum by (worker) (rate(tidings_processor_events_total{_MINE}{_RATE}))", _NAME),),
        "TidingsProcessorDown", FLOWS, base=ORANGE,
    ),
    Panel(
        "Parts worked in", "Parts of events, a second.", Unit.PER_SECOND,
        (Query(f"sum by (worker) (rate(tidings_processor_parts_total{_MINE}{_RATE}))", _NAME),),
        "TidingsProcessorDown", FLOWS, base=ORANGE,
    ),
    Panel(
        "Records sent on", "A second.", Unit.PER_SECOND,
        (Query(f"sum by (worker) (rate(tidings_processor_records_total{_MINE}{_RATE}))", _NAME),),
        "TidingsProcessorDown", FLOWS, base=ORANGE,
    ),
    Panel(
        "Too late", "Changes whose window was over, and that were not made, in all.", Unit.COUNT,
        (Query(f"sum by (worker) (tidings_processor_late_total{_MINE})", _NAME),), _ALERT, ((1.0, ORANGE),), width=12,
    ),
    Panel(
        "Tried again", "How often it waited for the registry or the broker, in all.", Unit.COUNT,
        (Query(f"sum by (worker) (tidings_processor_retries_total{_MINE})", _NAME),), "TidingsProcessorDown",
        ((1.0, ORANGE),), width=12,
    ),
))  # fmt: skip

PROCESSORS = Board(
    "processors",
    "Tidings: processors",
    "The derived processors beside each other: whether each works, and how far behind it is.",
    (STATE, WORK),
    (Variable("worker", "tidings_processor_parts_total", "worker", many=True),),
)
