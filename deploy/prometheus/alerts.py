"""Every alert there is, one table. Each has a runbook, and tests in which it fires and in which it is quiet."""

from __future__ import annotations

from deploy.prometheus.rule import Alert, Severity
from deploy.prometheus.slos import burn_alerts

STUCK_AFTER_S = 60
WAITING_S = 120
BEHIND_S = 3_600
UNSEEN_S = 60
OVERDUE_S = 300
HIGH_RISK = 3
ROW_WAITING_S = 60
ABORTS_A_SECOND = 0.1
REJECTED_SHARE = 0.2
REJECTED_EVENTS = 20

_OF_WORKER = "{{ $labels.worker }}"
_OF_INBOX = "{{ $labels.event_type }} of {{ $labels.agency }}"
_OF_FEED = "{{ $labels.agreement }} ({{ $labels.event_type }}) of {{ $labels.agency }}"
_AGE = "{{ $value | humanizeDuration }}"

STATE_ALERTS: tuple[Alert, ...] = (
    Alert(
        "TidingsNoWorker", 'absent(up{job="exchange"} == 1)', "1m", Severity.PAGE,
        "No worker of the exchange runs",
        "No event is decided. Nothing is lost: inboxes keep what is published.",
    ),
    Alert(
        "TidingsWorkerDown", 'up{job="exchange"} == 0', "2m", Severity.TICKET,
        f"Worker {_OF_WORKER} does not answer",
        "Its share has gone to the other workers, where there are any.",
    ),
    Alert(
        "TidingsWorkerStuck", f"tidings_turn_age_seconds > {STUCK_AFTER_S}", "1m", Severity.PAGE,
        f"Worker {_OF_WORKER} runs and makes no turn",
        f"Its loop has stood still for {_AGE}; its inboxes wait.",
    ),
    Alert(
        "TidingsWorkerNotReady", "tidings_ready == 0", "5m", Severity.TICKET,
        f"Worker {_OF_WORKER} has no share",
        "It runs, and has not been given inbox partitions, or is draining and does not end.",
    ),
    Alert(
        "TidingsInboxWaiting", f"tidings_inbox_lag_seconds > {WAITING_S}", "2m", Severity.TICKET,
        f"Events wait in the inbox {_OF_INBOX}",
        f"The oldest has waited for {_AGE}.",
    ),
    Alert(
        "TidingsNoWindow", "max(tidings_holding_feeds) > 0 and max(tidings_window_members) == 0", "2m", Severity.PAGE,
        "Views wait and no correction window runs",
        "{{ $value }} feeds get nothing until one does. Nothing is lost: what waits is kept.",
    ),
    Alert(
        "TidingsHeldOverdue",
        f"max by (agreement, event_type) (tidings_held_overdue_seconds) > {OVERDUE_S}", "5m", Severity.PAGE,
        "Views of {{ $labels.agreement }} ({{ $labels.event_type }}) wait longer than their hold",
        f"The hold of the next one passed {_AGE} ago: its subscriber has not been told.",
    ),
    Alert(
        "TidingsSubscriberBehind", f"tidings_feed_lag_seconds > {BEHIND_S}", "15m", Severity.TICKET,
        f"{_OF_FEED} is not being read",
        f"The oldest view that its slowest group has not committed as read is {_AGE} old.",
    ),
    Alert(
        "TidingsQuarantineNotEmpty", "tidings_quarantine_events > 0", "1m", Severity.TICKET,
        "{{ $value }} events are in quarantine",
        "Our own code failed on them. Their agencies have not been told what these events say.",
    ),
    Alert(
        "TidingsTransactionsAborting", f"rate(tidings_transaction_aborts_total[5m]) > {ABORTS_A_SECOND}", "5m",
        Severity.TICKET,
        f"Worker {_OF_WORKER} aborts transactions",
        '{{ $value | printf "%.1f" }} a second: the broker or the group is in trouble. Nothing is lost or told twice.',
    ),
    Alert(
        "TidingsPolicyBehind",
        "tidings_policy_version < on() group_left() max(tidings_published_policy_version)", "2m", Severity.PAGE,
        f"Worker {_OF_WORKER} decides by an old policy",
        "It has policy {{ $value }}. What was stopped or narrowed since may still be told.",
    ),
    Alert(
        "TidingsManyRejections",
        "sum by (event_type) (increase(tidings_events_total{outcome=\"rejected\"}[30m])) > "
        f"{REJECTED_EVENTS} and sum by (event_type) (rate(tidings_events_total{{outcome=\"rejected\"}}[30m])) / "
        f"sum by (event_type) (rate(tidings_events_total[30m])) > {REJECTED_SHARE}",
        "10m", Severity.TICKET,
        "Many events of {{ $labels.event_type }} are rejected",
        "{{ $value | printf \"%.0f\" }} in half an hour, more than a fifth: the publisher's system or its connector has"
        " changed.",
    ),
    Alert(
        "TidingsProcessorDown", 'up{job="processor"} == 0', "5m", Severity.TICKET,
        f"{_OF_WORKER} does not answer",
        "What it says stands still. Delivery has nothing to do with it.",
    ),
    Alert(
        "TidingsProcessorSetsAside",
        'sum by (worker) (increase(tidings_processor_events_total{outcome="set_aside"}[30m])) > 0', "1m",
        Severity.TICKET,
        f"{_OF_WORKER} fails on events",
        "It sets them aside and goes on: what it says leaves them out.",
    ),
    Alert(
        "TidingsHighRisk", f"max by (agency, agreement, finding) (tidings_risk_severity) >= {HIGH_RISK}", "5m",
        Severity.TICKET,
        "High risk in what {{ $labels.agency }} gets by {{ $labels.agreement }}: {{ $labels.finding }}",
        "The finding in risk.findings says what it rests on.",
    ),
    Alert(
        "TidingsRelayDown", 'up{job="outbox"} == 0', "2m", Severity.TICKET,
        f"Relay {_OF_WORKER} does not answer",
        "Its slots have gone to the other relays, where there are any.",
    ),
    Alert(
        "TidingsOutboxStands", "sum(tidings_outbox_slots) == 0", "2m", Severity.TICKET,
        "No relay has a slot of the outbox",
        "They run, and the database does not let them work: nothing is published. Nothing is lost: rows wait.",
    ),
    Alert(
        "TidingsOutboxWaiting", f"max(tidings_outbox_lag_seconds) > {ROW_WAITING_S}", "2m", Severity.TICKET,
        "Rows wait in the outbox",
        f"The oldest has waited for {_AGE}.",
    ),
    Alert(
        "TidingsOutboxRefused", "max(tidings_outbox_refused_rows) > 0", "1m", Severity.TICKET,
        "{{ $value }} rows of the outbox are refused",
        "What they tell of is not published until somebody mends them.",
    ),
    Alert(
        "TidingsMonitorStale",
        f"time() - tidings_observed_timestamp_seconds > {UNSEEN_S} or absent(tidings_observed_timestamp_seconds)",
        "1m", Severity.PAGE,
        "Nobody watches lags, freshness and quarantine",
        "The monitor has ended, or the broker does not answer it. Alerts on what it sees cannot fire.",
    ),
)  # fmt: skip

ALERTS: tuple[Alert, ...] = (*STATE_ALERTS, *burn_alerts())
