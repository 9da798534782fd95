"""One rule of Prometheus, as data: what is recorded, and what alerts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Who hears of an alert: `page` wakes somebody, `ticket` waits for the working day."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Recording:
    """A series that Prometheus computes: its name and its expression (PromQL)."""

    record: str
    expr: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `hold` is how long `expr` must be true first, as Prometheus writes it (`2m`).

    `summary` and `description` are Prometheus' templates; they hold labels and numbers, which hold no value of an
    event.
    """

    name: str
    expr: str
    hold: str
    severity: Severity
    summary: str
    description: str
