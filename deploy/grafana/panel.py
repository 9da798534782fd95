"""One panel of a dashboard, as data. Each has a unit, thresholds, and a runbook for when it looks wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """Grafana's names of units. Source: Grafana, `packages/grafana-data/src/valueFormats/categories.ts`."""

    SECONDS = "s"
    PER_SECOND = "ops"
    SHARE = "percentunit"
    COUNT = "short"
    FLAG = "bool_yes_no"
    PLAIN = "none"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression (PromQL) and what each of its series is called, with labels in double braces."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """`alert` is the alert whose runbook says what to do. `bad` lists bounds and colours from below: the colour before
    the first bound is `base`. `now` shows the last value alone, large."""

    title: str
    what: str
    unit: Unit
    queries: tuple[Query, ...]
    alert: str
    bad: tuple[tuple[float, str], ...]
    base: str = "green"
    now: bool = False
    width: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """A row of panels under a title."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a dashboard: the values of `label` on `metric`."""

    name: str
    metric: str
    label: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard. `name` is its file's name and, behind `tidings-`, its uid."""

    name: str
    title: str
    what: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()


ORANGE, RED = "orange", "red"
FLOWS = ((0.000_001, "green"),)
"""For what should flow: nothing is orange."""
EMPTY = ((0.5, RED),)
"""For what should be 0."""
LATE = ((30.0, ORANGE), (120.0, RED))
"""Seconds that an event waits: the promise of freshness, and the alert on an inbox."""
OVERDUE = ((10.0, ORANGE), (300.0, RED))
"""Seconds that a view has waited beyond its hold: the alert on it."""
UNREAD = ((600.0, ORANGE), (3_600.0, RED))
"""Seconds that a view stands unread."""
SLOW = ((0.5, ORANGE), (1.0, RED))
"""Seconds end to end: half the promise, and the promise."""
REFUSED = ((0.05, ORANGE), (0.2, RED))
"""A share of rejected events."""


def quantile(share: float, histogram: str, by: str = "") -> str:
    """The value below which `share` of what `histogram` counted lies: the histogram's name and labels, and the labels
    by which it is told apart."""
    name, brace, labels = histogram.partition("{")
    apart = f", {by}" if by else ""
    return f"histogram_quantile({share}, sum by (le{apart}) (rate({name}_bucket{brace}{labels}[$__rate_interval])))"
