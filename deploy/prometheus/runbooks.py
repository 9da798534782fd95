"""Where the runbooks are: a page an alert in `docs/runbooks`, and the address at which operators read them."""

from __future__ import annotations

import re
from pathlib import Path

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
BASE_URL = "https://tidings.example/runbooks/"
"""Each deployment serves `docs/runbooks` at an address of its own, and writes rules and dashboards with it
(`--runbooks`). This one is reserved for examples and leads nowhere (RFC 2606)."""


def page_of(alert: str) -> str:
    """The file name of an alert's runbook: `TidingsWorkerDown` has `worker-down.md`."""
    return "-".join(re.findall(r"[A-Z][a-z]*", alert.removeprefix("Tidings"))).lower() + ".md"
