"""The Agreement dashboard: what one agreement makes of events, and whether its feeds are fresh and read."""

from __future__ import annotations

from deploy.grafana.panel import (
    FLOWS,
    LATE,
    ORANGE,
    OVERDUE,
    RED,
    SLOW,
    UNREAD,
    Board,
    Panel,
    Query,
    Row,
    Unit,
    Variable,
    quantile,
)

_RATE = "[$__rate_interval]"
_MINE = '{agreement="$agreement"}'
_TYPE = "{{event_type}}"

VIEWS = Row("What it makes of events", (
    Panel(
        "Views by outcome", "Delivered, withdrawn, filtered.", Unit.PER_SECOND,
        (Query(f"sum by (outcome) (rate(tidings_views_total{_MINE}{_RATE}))", "{{outcome}}"),),
        "TidingsFreshnessBurn", FLOWS, base=ORANGE,
    ),
    Panel(
        "Filtered share", "Of the accepted events that it was in force for. A step means that somebody's data changed.",
        Unit.SHARE,
        (Query(
            f'sum by (event_type) (rate(tidings_views_total{{agreement="$agreement", outcome="filtered"}}{_RATE}))'
            f" / sum by (event_type) (rate(tidings_views_total{_MINE}{_RATE}))", _TYPE,
        ),),
        "TidingsManyRejections", ((0.95, ORANGE), (1.0, RED)),
    ),
    Panel(
        "Views so far", "Ever written to its feeds.", Unit.COUNT,
        (Query(f"tidings_feed_views{_MINE}", "{{agency}} {{event_type}}"),), "TidingsFreshnessBurn", FLOWS, base=ORANGE,
    ),
))  # fmt: skip

FRESH = Row("Whether it keeps its promise", (
    Panel(
        "Freshness", "How long the oldest event that a feed may lack has waited.", Unit.SECONDS,
        (Query(f"tidings_feed_freshness_seconds{_MINE}", _TYPE),), "TidingsFreshnessBurn", LATE,
    ),
    Panel(
        "Share of time not fresh", "Over windows of the alerts.", Unit.SHARE,
        tuple(
            Query(f"tidings:freshness_errors:ratio_{window}{_MINE}", f"{_TYPE} over {window}")
            for window in ("1h", "6h", "3d")
        ),
        "TidingsFreshnessBurn", ((0.005, ORANGE), (0.072, RED)),
    ),
    Panel(
        "p99 latency of its event types", "From the inbox until committed to all feeds.", Unit.SECONDS,
        (Query(
            f'{quantile(0.99, "tidings_latency_seconds", "event_type")} and on (event_type) tidings_feed_views{_MINE}',
            _TYPE,
        ),),
        "TidingsLatencyBurn", SLOW,
    ),
))  # fmt: skip

HELD = Row("What waits in the correction window, where it holds its views back", (
    Panel(
        "Views that wait", "Until their hold has passed.", Unit.COUNT,
        (Query(f"sum by (event_type) (tidings_held_views{_MINE})", _TYPE),), "TidingsHeldOverdue",
        ((100_000.0, ORANGE), (1_000_000.0, RED)), width=6,
    ),
    Panel(
        "The next has waited", "Of those that wait.", Unit.SECONDS,
        (Query(f"max by (event_type) (tidings_held_oldest_seconds{_MINE})", _TYPE),), "TidingsHeldOverdue",
        ((604_800.0, ORANGE), (605_100.0, RED)), width=6,
    ),
    Panel(
        "Overdue", "How long ago the hold of the next one has passed.", Unit.SECONDS,
        (Query(f"max by (event_type) (tidings_held_overdue_seconds{_MINE})", _TYPE),), "TidingsHeldOverdue",
        OVERDUE, width=6,
    ),
    Panel(
        "What became of them", "Released, corrected, replaced by a later one, stopped.", Unit.PER_SECOND,
        (Query(f"sum by (outcome) (rate(tidings_held_settled_total{_MINE}{_RATE}))", "{{outcome}}"),),
        "TidingsNoWindow", FLOWS, base=ORANGE, width=6,
    ),
))  # fmt: skip

READ = Row("Whether it is read, where it is read with committed offsets", (
    Panel(
        "Views unread", "By the slowest group.", Unit.COUNT,
        (Query(f"tidings_feed_lag_events{_MINE}", "{{agency}} {{event_type}}"),), "TidingsSubscriberBehind",
        ((10_000.0, ORANGE), (1_000_000.0, RED)), width=12,
    ),
    Panel(
        "Oldest unread", "By the slowest group.", Unit.SECONDS,
        (Query(f"tidings_feed_lag_seconds{_MINE}", "{{agency}} {{event_type}}"),), "TidingsSubscriberBehind", UNREAD,
        width=12,
    ),
))  # fmt: skip

AGREEMENT = Board(
    "agreement",
    "Tidings: agreement",
    "One agreement: its views, its filter, its freshness, what it holds back, its readers.",
    (VIEWS, FRESH, HELD, READ),
    (Variable("agreement", "tidings_feed_views", "agreement"),),
)
