"""The Worker dashboard: is each worker well, and how does it work?"""

from __future__ import annotations

from deploy.grafana.panel import EMPTY, FLOWS, ORANGE, RED, SLOW, Board, Panel, Query, Row, Unit, Variable, quantile

_RATE = "[$__rate_interval]"
_MINE = '{worker=~"$worker"}'
_NAME = "{{worker}}"


def _mean(metric: str) -> str:
    return (
        f"sum by (worker) (rate({metric}_sum{_MINE}{_RATE})) / sum by (worker) (rate({metric}_count{_MINE}{_RATE}))"
    )  # fmt: skip


STATE = Row("State", (
    Panel(
        "Ready", "It runs and has its share.", Unit.FLAG,
        (Query(f"tidings_ready{_MINE}", _NAME),), "TidingsWorkerNotReady", ((1.0, "green"),), base=RED, now=True,
        width=6,
    ),
    Panel(
        "Inbox partitions", "Its share.", Unit.COUNT,
        (Query(f"tidings_worker_partitions{_MINE}", _NAME),), "TidingsWorkerNotReady", ((1.0, "green"),), base=ORANGE,
        now=True, width=6,
    ),
    Panel(
        "Policy", "In force at the worker, and the newest published.", Unit.PLAIN,
        (
            Query(f"tidings_policy_version{_MINE}", _NAME),
            Query("tidings_published_policy_version", "published"),
        ),
        "TidingsPolicyBehind", ((1.0, "green"),), base=RED, now=True, width=6,
    ),
    Panel(
        "Policies behind", "How many versions the worker is behind.", Unit.COUNT,
        (Query(f"max(tidings_published_policy_version) - on () group_right () tidings_policy_version{_MINE}", _NAME),),
        "TidingsPolicyBehind", EMPTY, now=True, width=6,
    ),
))  # fmt: skip

WORK = Row("Work", (
    Panel(
        "Decided", "Events a second.", Unit.PER_SECOND,
        (Query(f"sum by (worker) (rate(tidings_events_total{_MINE}{_RATE}))", _NAME),), "TidingsInboxWaiting", FLOWS,
        base=ORANGE,
    ),
    Panel(
        "Events a batch", "Mean. Small batches under load mean slow commits.", Unit.COUNT,
        (Query(_mean("tidings_batch_events"), _NAME),), "TidingsLatencyBurn", FLOWS, base=ORANGE,
    ),
    Panel(
        "Batches", "Committed a second.", Unit.PER_SECOND,
        (Query(f"sum by (worker) (rate(tidings_batch_seconds_count{_MINE}{_RATE}))", _NAME),), "TidingsLatencyBurn",
        FLOWS, base=ORANGE,
    ),
    Panel(
        "Seconds a batch", "From deciding to the commit: p50 and p99.", Unit.SECONDS,
        tuple(
            Query(quantile(share, f"tidings_batch_seconds{_MINE}", "worker"), f"{_NAME} p{share * 100:g}")
            for share in (0.5, 0.99)
        ),
        "TidingsLatencyBurn", SLOW,
    ),
    Panel(
        "Age when decided", "Of the last event of each batch.", Unit.SECONDS,
        (Query(f"max by (worker) (tidings_lag_seconds{_MINE})", _NAME),), "TidingsInboxWaiting",
        ((30.0, ORANGE), (120.0, RED)),
    ),
    Panel(
        "Aborts", "Transactions tried again, a second.", Unit.PER_SECOND,
        (Query(f"rate(tidings_transaction_aborts_total{_MINE}{_RATE})", _NAME),), "TidingsTransactionsAborting",
        ((0.01, ORANGE), (0.1, RED)),
    ),
    Panel(
        "Since its last turn", "A loop that stands still decides nothing and keeps its share.", Unit.SECONDS,
        (Query(f"tidings_turn_age_seconds{_MINE}", _NAME),), "TidingsWorkerStuck", ((10.0, ORANGE), (60.0, RED)),
        width=12,
    ),
    Panel(
        "Quarantined", "Events on which our own code failed, a second.", Unit.PER_SECOND,
        (Query(f"sum by (worker) (rate(tidings_quarantined_total{_MINE}{_RATE}))", _NAME),),
        "TidingsQuarantineNotEmpty", ((0.000_001, RED),), width=12,
    ),
))  # fmt: skip

WORKER = Board(
    "worker",
    "Tidings: worker",
    "The exchange's workers, each by its slot: share, policy, batches, aborts.",
    (STATE, WORK),
    (Variable("worker", "tidings_worker_partitions", "worker", many=True),),
)
