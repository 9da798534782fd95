"""Puts the figures of `build/bench.json` into the guide: its table and its plots. `make bench-docs`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.contender import BUILD, CHECKOUT
from benchmarks.draw import draw
from benchmarks.table import report

GUIDE = CHECKOUT / "docs" / "guides" / "benchmarks.md"
BEGIN, END = "<!-- figures: make bench-docs -->\n", "<!-- end of figures -->\n"
_PLOTS = {
    "throughput": "Events a second by contender",
    "latency": "Latency by rate",
    "agreements": "Pace by agreements",
    "record-bytes": "Pace by size of an event",
    "feed-partitions": "Latency by feed partitions touched",
    "memory": "Memory by events",
}


def with_figures(guide: str, content: dict[str, Any], plots: Path) -> str:
    """The guide with what stood between its two marks replaced. Raises ValueError where it has not both."""
    before, mark, rest = guide.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError("the guide has no place for figures")
    images = [f"![{alt}](benchmarks/{name}.svg)" for name, alt in _PLOTS.items() if (plots / f"{name}.svg").exists()]
    return before + BEGIN + "\n" + report(content) + "\n" + "\n".join(images) + ("\n\n" if images else "") + END + after


def main() -> None:
    """Write the guide and its plots."""
    source = BUILD.parent / "bench.json"
    plots = GUIDE.with_suffix("")
    why = draw(source, plots)
    if why:
        sys.stderr.write(f"no plots: {why}\n")
    content = json.loads(source.read_text("utf-8"))
    GUIDE.write_text(with_figures(GUIDE.read_text("utf-8"), content, plots), "utf-8")


if __name__ == "__main__":
    main()
