"""The service levels that Tidings promises its agencies, and the alerts on how fast their error budgets burn.

Source: Google, "The Site Reliability Workbook", chapter 5, "Multiwindow, Multi-Burn-Rate Alerts", table 5-8 for a
period of 30 days: a long window says that it matters, a short one that it still goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from deploy.prometheus.rule import Alert, Recording, Severity

FRESH_WITHIN_S = 30
LATENCY_WITHIN_S = 1.0
PERIOD = "30d"


class Burn(NamedTuple):
    """`rate` times the budget's even pace over both windows alerts."""

    rate: float
    long: str
    short: str


BURNS: dict[Severity, tuple[Burn, ...]] = {
    Severity.PAGE: (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m")),
    Severity.TICKET: (Burn(3, "1d", "2h"), Burn(1, "3d", "6h")),
}
WINDOWS = tuple(
    dict.fromkeys(window for burns in BURNS.values() for burn in burns for window in (burn.short, burn.long))
)
_GUARD = {Severity.PAGE: "6h", Severity.TICKET: "3d"}
_FEW = 10


@dataclass(frozen=True, slots=True)
class Slo:
    """One promise. `objective` is a share; `ratio` is the share of errors over `{window}`.

    `errors` counts bad events over `{window}`: below ten of them nobody is woken, however few events there were; empty
    where the level is one of time.
    """

    name: str
    title: str
    objective: float
    ratio: str
    errors: str
    what: str

    @property
    def budget(self) -> float:
        """The share that may go wrong."""
        return round(1 - self.objective, 6)

    def series(self, window: str) -> str:
        """The recorded share of errors over a window."""
        return f"tidings:{self.name}_errors:ratio_{window}"


STALE = Recording(
    "tidings:feed_stale",
    f"tidings_feed_freshness_seconds > bool {FRESH_WITHIN_S}",
)
"""1 where the oldest event that a feed may lack has waited too long, else 0."""

SLOS = (
    Slo(
        "delivery", "Delivery", 0.999,
        "sum(rate(tidings_quarantined_total[{window}])) / sum(rate(tidings_events_total[{window}]))",
        "sum(increase(tidings_quarantined_total[{window}]))",
        "of the events that were decided, at most 1 in 1,000 fails in our own code and goes to quarantine",
    ),
    Slo(
        "latency", "Latency", 0.99,
        f'1 - sum(rate(tidings_latency_seconds_bucket{{{{le="{LATENCY_WITHIN_S}"}}}}[{{window}}]))'
        " / sum(rate(tidings_latency_seconds_count[{window}]))",
        "sum(increase(tidings_latency_seconds_count[{window}]))"
        f' - sum(increase(tidings_latency_seconds_bucket{{{{le="{LATENCY_WITHIN_S}"}}}}[{{window}}]))',
        f"99 of 100 events are in the feeds within {LATENCY_WITHIN_S:g} s of their arrival in the inbox",
    ),
    Slo(
        "freshness", "Freshness", 0.995,
        "avg_over_time(tidings:feed_stale[{window}])",
        "",
        f"each feed lacks no event older than {FRESH_WITHIN_S} s, 99.5 % of the time",
    ),
)  # fmt: skip


def recordings() -> Iterator[Recording]:
    """The share of errors of each promise over each window."""
    yield STALE
    for slo in SLOS:
        for window in WINDOWS:
            yield Recording(slo.series(window), slo.ratio.format(window=window))


def burn_alerts() -> Iterator[Alert]:
    """Two alerts a promise: one that wakes somebody, one for the working day."""
    for slo in SLOS:
        for severity, burns in BURNS.items():
            yield Alert(
                name=f"Tidings{slo.title}Burn",
                expr=_burning(slo, severity, burns),
                hold="2m" if severity is Severity.PAGE else "15m",
                severity=severity,
                summary=_summary(slo, severity),
                description=f"The promise: {slo.what}, over {PERIOD}. Lately {{{{ $value | humanizePercentage }}}} were"
                " not.",
            )


def _burning(slo: Slo, severity: Severity, burns: tuple[Burn, ...]) -> str:
    over = " or ".join(
        f"({slo.series(burn.long)} > {burn.rate * slo.budget:.6g} and {slo.series(burn.short)} >"
        f" {burn.rate * slo.budget:.6g})"
        for burn in burns
    )
    if not slo.errors:
        return over
    return f"({over}) and ({slo.errors.format(window=_GUARD[severity])} >= {_FEW})"


def _summary(slo: Slo, severity: Severity) -> str:
    where = " of {{ $labels.agreement }} ({{ $labels.event_type }}) for {{ $labels.agency }}" if not slo.errors else ""
    pace = "fast" if severity is Severity.PAGE else "steadily"
    return f"{slo.title}{where}: the error budget burns {pace}"
