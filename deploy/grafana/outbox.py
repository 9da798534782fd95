"""The Outbox dashboard: an agency's relays, what waits in its outbox, and what they refuse. For its own Grafana."""

from __future__ import annotations

from deploy.grafana.panel import EMPTY, FLOWS, ORANGE, RED, REFUSED, Board, Panel, Query, Row, Unit, Variable, quantile

_RATE = "[$__rate_interval]"
_MINE = '{worker=~"$worker"}'
_NAME = "{{worker}}"
_WAITING, _REFUSED, _DOWN, _STANDS = (
    "TidingsOutboxWaiting", "TidingsOutboxRefused", "TidingsRelayDown", "TidingsOutboxStands",
)  # fmt: skip
_SHARES = ((0.5, "median"), (0.99, "99 %"))
_LAG = ((10.0, ORANGE), (60.0, RED))

STATE = Row("State", (
    Panel(
        "Answers", "Whether Prometheus reaches the relay.", Unit.FLAG,
        (Query('up{job="outbox", worker=~"$worker"}', _NAME),), _DOWN, ((1.0, "green"),), base=RED, now=True, width=6,
    ),
    Panel(
        "Slots", "Of the outbox, that each relay has. One in reserve has none.", Unit.COUNT,
        (Query(f"max by (worker) (tidings_outbox_slots{_MINE})", _NAME),), _STANDS, ((1.0, "green"),), base=ORANGE,
        now=True, width=6,
    ),
    Panel(
        "Oldest row", "How long it has waited; 0 where none does.", Unit.SECONDS,
        (Query(f"max(tidings_outbox_lag_seconds{_MINE})"),), _WAITING, _LAG, now=True, width=6,
    ),
    Panel(
        "Refused", "Rows that nobody has mended yet.", Unit.COUNT,
        (Query(f"max(tidings_outbox_refused_rows{_MINE})"),), _REFUSED, EMPTY, now=True, width=6,
    ),
))  # fmt: skip

FLOW = Row("Flow", (
    Panel(
        "Rows", "Sent or refused, a second.", Unit.PER_SECOND,
        (Query(f"sum by (outcome) (rate(tidings_outbox_rows_total{_MINE}{_RATE}))", "{{outcome}}"),),
        _WAITING, FLOWS, base=ORANGE,
    ),
    Panel(
        "By event type", "Rows finished, a second.", Unit.PER_SECOND,
        (Query(f"sum by (event_type) (rate(tidings_outbox_rows_total{_MINE}{_RATE}))", "{{event_type}}"),),
        _WAITING, FLOWS, base=ORANGE,
    ),
    Panel(
        "Share refused", "Of the rows finished.", Unit.SHARE,
        (Query(
            f'sum(rate(tidings_outbox_rows_total{{worker=~"$worker", outcome="refused"}}{_RATE})) / '
            f"(sum(rate(tidings_outbox_rows_total{_MINE}{_RATE})) > 0)"
        ),),
        _REFUSED, REFUSED,
    ),
    Panel(
        "Waiting", "Rows of the whole outbox.", Unit.COUNT,
        (Query(f"max(tidings_outbox_lag_rows{_MINE})"),), _WAITING, ((10_000.0, ORANGE), (100_000.0, RED)), width=12,
    ),
    Panel(
        "Why refused", "Reasons, in all. One row may have several.", Unit.COUNT,
        (Query(
            f"sum by (event_type, reason) (tidings_outbox_refusals_total{_MINE})", "{{event_type}}: {{reason}}"
        ),),
        _REFUSED, EMPTY, width=12,
    ),
))  # fmt: skip

BATCHES = Row("Batches", (
    Panel(
        "Rows a batch", "Median, and the largest of a hundred.", Unit.COUNT,
        tuple(
            Query(quantile(share, f"tidings_outbox_batch_rows{_MINE}"), name)
            for share, name in _SHARES
        ),
        _WAITING, ((4_000.0, ORANGE),), width=12,
    ),
    Panel(
        "Seconds a batch", "From the start of reading until it is committed in the inboxes.", Unit.SECONDS,
        tuple(
            Query(quantile(share, f"tidings_outbox_batch_seconds{_MINE}"), name)
            for share, name in _SHARES
        ),
        _WAITING, ((2.5, ORANGE), (10.0, RED)), width=12,
    ),
))  # fmt: skip

OUTBOX = Board(
    "outbox",
    "Tidings: outbox",
    "An agency's relays: whether they work, what waits in its outbox, and what they refuse.",
    (STATE, FLOW, BATCHES),
    (Variable("worker", "tidings_outbox_slots", "worker", many=True),),
)
