"""The Overview: throughput, latency, lag, rejections, and the promises, of the whole exchange."""

from __future__ import annotations

from deploy.grafana.panel import (
    EMPTY,
    FLOWS,
    LATE,
    ORANGE,
    OVERDUE,
    RED,
    REFUSED,
    SLOW,
    UNREAD,
    Board,
    Panel,
    Query,
    Row,
    Unit,
    quantile,
)
from deploy.prometheus.slos import SLOS

_RATE = "[$__rate_interval]"
_WORST = 10
_LATENCY = "tidings_latency_seconds"

NOW = Row("Now", (
    Panel(
        "Workers", "That answer Prometheus, and that are in the broker's group.", Unit.COUNT,
        (Query('sum(up{job="exchange"})', "answer"), Query("tidings_group_members", "in the group")),
        "TidingsNoWorker", ((1.0, "green"),), base=RED, now=True, width=4,
    ),
    Panel(
        "Decided", "Events decided a second, whatever became of them.", Unit.PER_SECOND,
        (Query(f"sum(rate(tidings_events_total{_RATE}))"),), "TidingsInboxWaiting", FLOWS, base=ORANGE, now=True,
        width=4,
    ),
    Panel(
        "Events waiting", "In all inboxes, at most so many.", Unit.COUNT,
        (Query("sum(tidings_inbox_lag_events)"),), "TidingsInboxWaiting", ((1_000.0, ORANGE), (100_000.0, RED)),
        now=True, width=4,
    ),
    Panel(
        "Oldest waits", "The event that has waited longest to be decided.", Unit.SECONDS,
        (Query("max(tidings_inbox_lag_seconds)"),), "TidingsInboxWaiting", LATE, now=True, width=4,
    ),
    Panel(
        "In quarantine", "Events on which our own code failed.", Unit.COUNT,
        (Query("tidings_quarantine_events"),), "TidingsQuarantineNotEmpty", EMPTY, now=True, width=4,
    ),
    Panel(
        "Seen", "How old the monitor's picture is.", Unit.SECONDS,
        (Query("time() - tidings_observed_timestamp_seconds"),), "TidingsMonitorStale", ((30.0, ORANGE), (60.0, RED)),
        now=True, width=4,
    ),
))  # fmt: skip

THROUGHPUT = Row("Throughput", (
    Panel(
        "Decided by outcome", "What became of events.", Unit.PER_SECOND,
        (Query(f"sum by (outcome) (rate(tidings_events_total{_RATE}))", "{{outcome}}"),),
        "TidingsInboxWaiting", FLOWS, base=ORANGE,
    ),
    Panel(
        "Decided by event type", "Which events come.", Unit.PER_SECOND,
        (Query(f"sum by (event_type) (rate(tidings_events_total{_RATE}))", "{{event_type}}"),),
        "TidingsInboxWaiting", FLOWS, base=ORANGE,
    ),
    Panel(
        "Views by agreement", "Delivered and withdrawn views: what agencies are told.", Unit.PER_SECOND,
        (Query(f'sum by (agreement) (rate(tidings_views_total{{outcome!="filtered"}}{_RATE}))', "{{agreement}}"),),
        "TidingsFreshnessBurn", FLOWS, base=ORANGE,
    ),
))  # fmt: skip

LATENCY = Row("Latency", (
    Panel(
        "End to end", "From the inbox until committed to the feeds.", Unit.SECONDS,
        tuple(Query(quantile(share, _LATENCY), f"p{share * 100:g}") for share in (0.5, 0.95, 0.99)),
        "TidingsLatencyBurn", SLOW, width=12,
    ),
    Panel(
        "p99 by event type", "Which events take longest.", Unit.SECONDS,
        (Query(quantile(0.99, _LATENCY, "event_type"), "{{event_type}}"),), "TidingsLatencyBurn", SLOW, width=12,
    ),
))  # fmt: skip

LAG = Row("Lag", (
    Panel(
        "Oldest event waiting, by inbox", "How long it has waited to be decided.", Unit.SECONDS,
        (Query("tidings_inbox_lag_seconds", "{{agency}} {{event_type}}"),), "TidingsInboxWaiting", LATE,
    ),
    Panel(
        "Events waiting, by inbox", "At most so many.", Unit.COUNT,
        (Query("tidings_inbox_lag_events", "{{agency}} {{event_type}}"),), "TidingsInboxWaiting",
        ((1_000.0, ORANGE), (100_000.0, RED)),
    ),
    Panel(
        "Subscribers furthest behind", f"The {_WORST} feeds whose oldest unread view is oldest.", Unit.SECONDS,
        (Query(f"topk({_WORST}, tidings_feed_lag_seconds)", "{{agency}} {{agreement}} {{event_type}}"),),
        "TidingsSubscriberBehind", UNREAD,
    ),
))  # fmt: skip

HELD = Row("Correction window, where agreements hold views back", (
    Panel(
        "Feeds without a window", "Whose views wait while no correction window runs.", Unit.COUNT,
        (Query("max(tidings_holding_feeds) * (max(tidings_window_members) == bool 0)"),), "TidingsNoWindow", EMPTY,
        now=True, width=6,
    ),
    Panel(
        "Views that wait", "By agreement.", Unit.COUNT,
        (Query("sum by (agreement) (tidings_held_views)", "{{agreement}}"),), "TidingsHeldOverdue",
        ((100_000.0, ORANGE), (1_000_000.0, RED)), width=9,
    ),
    Panel(
        "Overdue", "How long ago the hold of each agreement's next view has passed.", Unit.SECONDS,
        (Query("max by (agreement) (tidings_held_overdue_seconds)", "{{agreement}}"),), "TidingsHeldOverdue", OVERDUE,
        width=9,
    ),
))  # fmt: skip

REJECTIONS = Row("Rejections", (
    Panel(
        "Rejected share, by event type", "Of the events decided.", Unit.SHARE,
        (Query(
            f'sum by (event_type) (rate(tidings_events_total{{outcome="rejected"}}{_RATE}))'
            f" / sum by (event_type) (rate(tidings_events_total{_RATE}))", "{{event_type}}",
        ),),
        "TidingsManyRejections", REFUSED,
    ),
    Panel(
        "Rejections by reason", "An event may have several reasons.", Unit.PER_SECOND,
        (Query(f"sum by (reason) (rate(tidings_rejections_total{_RATE}))", "{{reason}}"),),
        "TidingsManyRejections", ((1.0, ORANGE), (10.0, RED)),
    ),
    Panel(
        "Flags by reason", "Notes on events that were accepted.", Unit.PER_SECOND,
        (Query(f"sum by (reason) (rate(tidings_flags_total{_RATE}))", "{{reason}}"),),
        "TidingsManyRejections", ((10.0, ORANGE),),
    ),
))  # fmt: skip

PROMISES = Row("Promises: share that went wrong", tuple(
    Panel(
        slo.title, slo.what[0].upper() + slo.what[1:] + ", over 30 days.", Unit.SHARE,
        tuple(
            Query(slo.series(window) if slo.errors else f"max({slo.series(window)})", f"over {window}")
            for window in ("1h", "6h", "3d")
        ),
        f"Tidings{slo.title}Burn", ((slo.budget, ORANGE), (round(14.4 * slo.budget, 6), RED)),
    )
    for slo in SLOS
))  # fmt: skip

OVERVIEW = Board(
    "overview",
    "Tidings: overview",
    "The exchange as a whole: is it well, and are its promises kept?",
    (NOW, THROUGHPUT, LATENCY, LAG, HELD, REJECTIONS, PROMISES),
)
