"""The Agency dashboard: one agency as a publisher and as a subscriber."""

from __future__ import annotations

from deploy.grafana.panel import FLOWS, LATE, ORANGE, RED, REFUSED, UNREAD, Board, Panel, Query, Row, Unit, Variable

_RATE = "[$__rate_interval]"
# Workers know event types and agreements, the monitor knows whose they are.
_ITS_INBOXES = 'and on (event_type) tidings_inbox_lag_events{agency="$agency"}'
_ITS_FEEDS = 'and on (agreement, event_type) tidings_feed_views{agency="$agency"}'
_FEED = "{{agreement}} {{event_type}}"

PUBLISHER = Row("As a publisher", (
    Panel(
        "Its events, by outcome", "What became of what it published.", Unit.PER_SECOND,
        (Query(
            f"sum by (outcome) (sum by (event_type, outcome) (rate(tidings_events_total{_RATE})) {_ITS_INBOXES})",
            "{{outcome}}",
        ),),
        "TidingsInboxWaiting", FLOWS, base=ORANGE,
    ),
    Panel(
        "Rejected share, by event type", "Of its events.", Unit.SHARE,
        (Query(
            f'(sum by (event_type) (rate(tidings_events_total{{outcome="rejected"}}{_RATE}))'
            f" / sum by (event_type) (rate(tidings_events_total{_RATE}))) {_ITS_INBOXES}", "{{event_type}}",
        ),),
        "TidingsManyRejections", REFUSED,
    ),
    Panel(
        "Rejections by reason", "What its notices say.", Unit.PER_SECOND,
        (Query(
            f"sum by (event_type, reason) (rate(tidings_rejections_total{_RATE})) {_ITS_INBOXES}",
            "{{event_type}} {{reason}}",
        ),),
        "TidingsManyRejections", ((1.0, ORANGE), (10.0, RED)),
    ),
    Panel(
        "Events waiting", "In its inboxes, at most so many.", Unit.COUNT,
        (Query('tidings_inbox_lag_events{agency="$agency"}', "{{event_type}}"),),
        "TidingsInboxWaiting", ((1_000.0, ORANGE), (100_000.0, RED)), width=12,
    ),
    Panel(
        "Oldest waits", "In each of its inboxes.", Unit.SECONDS,
        (Query('tidings_inbox_lag_seconds{agency="$agency"}', "{{event_type}}"),), "TidingsInboxWaiting", LATE,
        width=12,
    ),
))  # fmt: skip

SUBSCRIBER = Row("As a subscriber", (
    Panel(
        "What it is told", "Views, by agreement and event type.", Unit.PER_SECOND,
        (Query(
            'sum by (agreement, event_type) (rate(tidings_views_total{outcome!="filtered"}'
            f"{_RATE})) {_ITS_FEEDS}", _FEED,
        ),),
        "TidingsFreshnessBurn", FLOWS, base=ORANGE,
    ),
    Panel(
        "Views so far", "Ever written to its feeds.", Unit.COUNT,
        (Query('tidings_feed_views{agency="$agency"}', _FEED),), "TidingsFreshnessBurn", FLOWS, base=ORANGE,
    ),
    Panel(
        "Freshness", "How long the oldest event that a feed may lack has waited.", Unit.SECONDS,
        (Query('tidings_feed_freshness_seconds{agency="$agency"}', _FEED),), "TidingsFreshnessBurn", LATE,
    ),
))  # fmt: skip

READING = Row("How it reads, where it reads with committed offsets", (
    Panel(
        "Views unread", "By its slowest group.", Unit.COUNT,
        (Query('tidings_feed_lag_events{agency="$agency"}', _FEED),), "TidingsSubscriberBehind",
        ((10_000.0, ORANGE), (1_000_000.0, RED)), width=12,
    ),
    Panel(
        "Oldest unread", "By its slowest group.", Unit.SECONDS,
        (Query('tidings_feed_lag_seconds{agency="$agency"}', _FEED),), "TidingsSubscriberBehind", UNREAD, width=12,
    ),
))  # fmt: skip

AGENCY = Board(
    "agency",
    "Tidings: agency",
    "One agency: what it publishes, what becomes of it, what it is told, and whether it reads it.",
    (PUBLISHER, SUBSCRIBER, READING),
    (Variable("agency", '{__name__=~"tidings_inbox_lag_events|tidings_feed_views"}', "agency"),),
)
