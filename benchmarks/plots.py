"""Draws `build/bench.json` as SVG, for the docs: `python -m benchmarks.plots build/bench.json FOLDER`.

Run by the environment of `requirements/bench.txt`, which has matplotlib; so it reads the file and nothing else of ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

OURS, OTHERS, INK = "#0b6e4f", "#8a97a6", "#222222"
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tidings",
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.figsize": (8.0, 4.2),
    "axes.grid": True,
    "grid.alpha": 0.3,
}
_ORDER = (
    "floor",
    "tidings-native-bare",
    "tidings-native",
    "tidings-python",
    "kafka-streams",
    "fastavro-loop",
    "tidings-reference",
    "quix",
    "faust",
)


def throughput(content: dict[str, Any], axes: Any) -> bool:
    """Medians with their ranges, on a logarithmic scale."""
    found = {
        name: content["contenders"][name]
        for name in _ORDER
        if "events_per_second" in content["contenders"].get(name, {})
    }
    for place, (name, entry) in enumerate(reversed(found.items())):
        pace, (low, high) = entry["events_per_second"], entry["range"]
        axes.barh(
            place,
            pace,
            xerr=[[pace - low], [high - pace]],
            color=OURS if name.startswith("tidings") else OTHERS,
            ecolor=INK,
            capsize=3,
        )
        axes.text(high * 1.08, place, f"{pace:,.0f}", va="center", color=INK)
    axes.set_yticks(range(len(found)), list(reversed(found)))
    axes.set_xscale("log")
    axes.set_xlabel("events a second (median; line: range), one partition in, three feeds out")
    axes.margins(x=0.15)
    return bool(found)


def latency(content: dict[str, Any], axes: Any) -> bool:
    """p50 and p99 by rate, one line a contender and transport."""
    drawn = False
    for who, rates in sorted(content["latency_ms"].items()):
        for transport, dash in (("plain", "-"), ("tls", "--")):
            known = sorted(
                (int(rate), each[transport]) for rate, each in rates.items() if "p99" in each.get(transport, {})
            )
            if not known:
                continue
            drawn = True
            color = OURS if who == "tidings" else OTHERS
            where = [rate for rate, _ in known]
            axes.plot(
                where, [each["p99"] for _, each in known], dash, marker="o", color=color, label=f"{who} {transport} p99"
            )
            axes.plot(
                where,
                [each["p50"] for _, each in known],
                dash,
                marker=".",
                color=color,
                alpha=0.5,
                label=f"{who} {transport} p50",
            )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("events a second")
    axes.set_ylabel("milliseconds, publisher to subscriber")
    axes.legend(fontsize="small")
    return drawn


def line(
    name: str, x: str, ys: dict[str, str], xlabel: str, ylabel: str, *, log: bool = True
) -> Callable[[dict[str, Any], Any], bool]:
    """A drawing of one list of points of `growth`."""

    def draw(content: dict[str, Any], axes: Any) -> bool:
        points = content["growth"].get(name, [])
        for number, (key, label) in enumerate(ys.items()):
            known = [(point[x], point[key]) for point in points if key in point]
            if known:
                color = OURS if key != "floor" else OTHERS
                axes.plot(
                    *zip(*known, strict=True),
                    marker="o" if log else "",
                    color=color,
                    label=label,
                    linestyle="-" if number == 0 else "--",
                )
        if log:
            axes.set_xscale("log")
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.legend(fontsize="small")
        return bool(points)

    return draw


PLOTS: dict[str, Callable[[dict[str, Any], Any], bool]] = {
    "throughput": throughput,
    "latency": latency,
    "agreements": line(
        "agreements",
        "agreements",
        {"tidings-native": "native", "tidings-python": "generated Python"},
        "agreements on the event",
        "events a second",
    ),
    "record-bytes": line(
        "record_bytes",
        "record_bytes",
        {"tidings-native": "native", "floor": "floor"},
        "bytes an event",
        "events a second",
    ),
    "feed-partitions": line(
        "feed_partitions",
        "feed_partitions",
        {"p50_ms": "p50", "max_ms": "max"},
        "feed partitions touched",
        "milliseconds a burst",
    ),
    "memory": line("memory", "events", {"memory_mb": "resident set"}, "events", "megabytes", log=False),
}


def main() -> None:
    """Draw what the file has into the folder."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    content, folder = json.loads(Path(sys.argv[1]).read_text("utf-8")), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    mpl.use("svg")
    plt.rcParams.update(_STYLE)
    for name, draw in PLOTS.items():
        figure, axes = plt.subplots()
        if draw(content, axes):
            figure.tight_layout()
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)


if __name__ == "__main__":
    main()
