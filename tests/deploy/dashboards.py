"""Reads the dashboards as checked in, and runs their queries on a real Prometheus as Grafana would."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tidings.clock import SystemClock

DASHBOARDS = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "dashboards"
WINDOW_S = 30
_VARIABLE = re.compile(r"label_values\((?P<metric>.+), (?P<label>\w+)\)\Z")


@dataclass(frozen=True)
class PanelQuery:
    """One query of one panel."""

    board: str
    panel: str
    ref: str
    expr: str


@dataclass(frozen=True)
class Choice:
    """A template variable: where its values come from."""

    board: str
    name: str
    metric: str
    label: str
    many: bool


def boards() -> dict[str, dict[str, Any]]:
    """Each dashboard by its file's stem."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(DASHBOARDS.glob("*.json"))}


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels that show something: rows left out, those within rows taken in."""
    for each in board["panels"]:
        if each["type"] == "row":
            yield from each.get("panels") or ()
        else:
            yield each


def queries() -> list[PanelQuery]:
    """Every query of every panel of every dashboard."""
    return [
        PanelQuery(name, panel["title"], target["refId"], target["expr"])
        for name, board in boards().items()
        for panel in panels(board)
        for target in panel["targets"]
    ]


def choices() -> list[Choice]:
    """Every template variable that is a query."""
    found = []
    for name, board in boards().items():
        for each in board["templating"]["list"]:
            if each["type"] == "query":
                match = _VARIABLE.match(each["query"])
                assert match is not None, f"{name}: {each['query']}"
                found.append(Choice(name, each["name"], match["metric"], match["label"], bool(each.get("multi"))))
    return found


@dataclass
class Asked:
    """A real Prometheus. `interval` stands for `$__rate_interval`."""

    url: str
    interval: str = "20s"
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10), repr=False)

    def values(self, choice: Choice) -> list[str]:
        """The values of a template variable."""
        metric = choice.metric if choice.metric.startswith("{") else f"{choice.metric}{{}}"
        found = self._get(f"label/{choice.label}/values", {"match[]": metric})
        assert isinstance(found, list)
        return [str(each) for each in found]

    def series(self, expr: str, variables: dict[str, str] | None = None) -> int:
        """How many series with at least one number a query returns over the last half minute.

        What is asked is what a panel asks: a range, with the variables filled in. Raises AssertionError where
        Prometheus does not take the expression, or a variable is left.
        """
        for name, value in {"__rate_interval": self.interval, **(variables or {})}.items():
            expr = expr.replace(f"${name}", value)
        assert "$" not in expr, expr
        now = SystemClock().now_ms() / 1000
        found = self._get("query_range", {"query": expr, "start": now - WINDOW_S, "end": now, "step": "1"})
        assert isinstance(found, dict)
        return sum(any(math.isfinite(float(value)) for _, value in each["values"]) for each in found["result"])

    def rules(self) -> list[dict[str, Any]]:
        """Every rule as Prometheus sees it."""
        found = self._get("rules", {})
        assert isinstance(found, dict)
        return [rule for group in found["groups"] for rule in group["rules"]]

    def _get(self, path: str, params: dict[str, Any]) -> object:
        answer = self._client.get(f"{self.url}/api/v1/{path}", params=params).json()
        assert answer["status"] == "success", f"{params}: {answer.get('error')}"
        return answer["data"]


def count_series(asked: Asked) -> dict[str, int]:
    """For each query, the most series that it returns for any value of its dashboard's variables."""
    values = {(each.board, each.name): (each, asked.values(each)) for each in choices()}
    counts: dict[str, int] = {}
    for query in queries():
        mine = {name: of for (board, name), of in values.items() if board == query.board}
        tries: list[dict[str, str]] = [{}]
        for name, (choice, found) in mine.items():
            fill = ["|".join(found)] if choice.many else found
            tries = [{**each, name: value} for each in tries for value in fill]
        key = f"{query.board} / {query.panel} / {query.ref}"
        counts[key] = max(asked.series(query.expr, each) for each in tries)
    return counts


def as_table(asked: Asked, counts: dict[str, int]) -> str:
    """Every template variable with how many values it has, and every panel's queries with how many series each gave."""
    lines = ["| dashboard | variable | values |", "| --- | --- | --- |"]
    lines += [f"| {each.board} | `{each.name}` | {len(asked.values(each))} |" for each in choices()]
    lines += ["", "| dashboard | panel | query | series |", "| --- | --- | --- | --- |"]
    for each in queries():
        expr = each.expr.replace("|", "\\|")
        count = counts[f"{each.board} / {each.panel} / {each.ref}"]
        lines.append(f"| {each.board} | {each.panel} | `{expr}` | {count} |")
    return "\n".join(lines) + "\n"
