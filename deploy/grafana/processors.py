"""The row of each dashboard that a derived processor fills: whether it works."""

from __future__ import annotations

from deploy.grafana.panel import EMPTY, FLOWS, ORANGE, RED, Panel, Query, Row, Unit

_RATE = "[$__rate_interval]"
_NAME = "{{worker}}"


def working(name: str) -> Row:
    """Of the processor with this name."""
    mine = f'{{worker=~"processor-{name}-.*"}}'
    alert = "TidingsProcessorSetsAside"
    return Row("Whether its processor works", (
        Panel(
            "Events read", "Taken, or set aside where it failed on them, a second.", Unit.PER_SECOND,
            (Query(f"sum by (outcome) (rate(tidings_processor_events_total{mine}{_RATE}))", "{{outcome}}"),),
            alert, FLOWS, base=ORANGE,
        ),
        Panel(
            "Worked in and sent on", "Parts of events, and records, a second.", Unit.PER_SECOND,
            (
                Query(f"sum(rate(tidings_processor_parts_total{mine}{_RATE}))", "parts"),
                Query(f"sum(rate(tidings_processor_records_total{mine}{_RATE}))", "records"),
            ),
            alert, FLOWS, base=ORANGE,
        ),
        Panel(
            "Age when worked in", "Of its last event.", Unit.SECONDS,
            (Query(f"max by (worker) (tidings_processor_lag_seconds{mine})", _NAME),),
            alert, ((600.0, ORANGE), (3_600.0, RED)),
        ),
        Panel(
            "Too late", "Changes whose window was over, and that were not made, in all.", Unit.COUNT,
            (Query(f"sum(tidings_processor_late_total{mine})"),), alert, EMPTY, now=True, width=12,
        ),
        Panel(
            "Tried again", "How often it waited for the registry or the broker, in all.", Unit.COUNT,
            (Query(f"sum(tidings_processor_retries_total{mine})"),), alert, EMPTY, now=True, width=12,
        ),
    ))  # fmt: skip
