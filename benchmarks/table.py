"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.contender import contenders


def report(content: dict[str, Any]) -> str:
    """Everything that `build/bench.json` holds."""
    parts = [_machine(content)]
    if content["contenders"]:
        parts.append(throughput(content["contenders"]))
    if content["latency_ms"]:
        parts.append(latency(content["latency_ms"]))
    parts += [growth(name, points) for name, points in sorted(content["growth"].items()) if points]
    return "\n\n".join(parts) + "\n"


def throughput(entries: dict[str, Any]) -> str:
    """One line a contender, in their order."""
    floor = entries.get("floor", {}).get("events_per_second")
    rows = []
    for name in contenders():
        entry = entries.get(name)
        if entry is None:
            continue
        if "events_per_second" not in entry:
            rows.append([f"`{name}`", entry["what"], f"not measured: {entry['missing'][:120]}", "", "", "", ""])
            continue
        pace, (low, high) = entry["events_per_second"], entry["range"]
        share = f"{pace / floor:.3f}" if floor else ""
        figures = [f"{pace:,.0f}", f"{low:,.0f} to {high:,.0f}", share, f"{entry['cpu_us_per_event']:.2f}"]
        rows.append([f"`{name}`", entry["what"], *figures, f"{entry['memory_mb']:.0f}"])
    return _table(
        ["who", "what it is", "events/s (median)", "range", "against the floor", "its CPU, us/event", "its memory, MB"],
        rows,
    )


def latency(entries: dict[str, Any]) -> str:
    """One line a contender, rate and transport: milliseconds."""
    rows = [
        [f"`{name}`", rate, transport, *(_figure(found.get(each)) for each in ("p50", "p99", "max"))]
        for name, rates in sorted(entries.items())
        for rate, transports in sorted(rates.items(), key=lambda each: int(each[0]))
        for transport, found in sorted(transports.items())
    ]
    return _table(["who", "events/s", "transport", "p50, ms", "p99, ms", "max, ms"], rows)


_ROWS_MAX = 16


def growth(name: str, points: Sequence[dict[str, Any]]) -> str:
    """The points of one part, one line each; of many some, spread evenly: a plot shows all."""
    columns = list(dict.fromkeys(column for point in points for column in point))
    shown = [*points[:: len(points) // _ROWS_MAX + 1], *points[-1:]] if len(points) > _ROWS_MAX else points
    rows = [[_figure(point.get(column)) for column in columns] for point in shown]
    return f"**{name}**\n\n{_table([column.replace('_', ' ') for column in columns], rows)}"


def _machine(content: dict[str, Any]) -> str:
    machine = content["machine"]
    lines = []
    lines.append(
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gb']} GB, Linux {machine['kernel']},"
        f" Python {machine['python']}, librdkafka {machine['librdkafka']}."
    )
    for name, about in sorted(content["parts"].items()):
        took, steal = about.get("seconds"), about.get("steal_share")
        lines.append(f"Part `{name}`: load {about['load_before']} before, {took} s, steal {steal}.{_shortened(about)}")
    return "\n".join(lines)


def _shortened(about: dict[str, Any]) -> str:
    """A short run has few transactions and a broker that is not warm: its ratios are not those of a long one."""
    scale = about.get("scale", 1.0)
    return f" **At {scale:g} of the events that it is meant to have: not to be quoted.**" if scale < 1 else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figure(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
