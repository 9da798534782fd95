"""A rolling upgrade, tried: three brokers and two workers are restarted one after another while events flow, and then
the account balances, every event has the fate that its sender expects, and no chain of decisions is broken.

    python -m tests.acceptance.rolling_upgrade FOLDER [EVENTS_PER_SECOND]

Minutes of two cores, so it is run by hand (docs/guides/upgrading.md quotes it) and not in CI. It ends with 1 where a
promise does not hold.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from deploy.local.restart import restart_broker
from deploy.local.stack import Options, Stack, down, up
from tests.acceptance.country import Progress, Publishing, Workers, apply, eventually
from tests.acceptance.test_kills import read_out
from tidings.policy.model import Policy

BROKERS, SLOTS = (1, 2, 3), (0, 1)
PATIENCE_S = 900.0
MOST_EVENTS = 1_000_000


def run(folder: Path, rate: float) -> dict[str, object]:
    """Everything, on a stack of its own in `folder`. Returns the figures."""
    stack = up(Options(folder, brokers=len(BROKERS), default_ports=False))
    try:
        return _upgrade(stack, apply(stack), rate)
    finally:
        down(folder)


def _upgrade(stack: Stack, policy: Policy, rate: float) -> dict[str, object]:
    publishing, progress = Publishing(stack, MOST_EVENTS, 7, [], rate), Progress(stack, policy)
    steps: dict[str, dict[str, float]] = {}

    def timed(name: str, began: float, decided: int) -> None:
        publishing.check()
        steps[name] = {"seconds": round(time.monotonic() - began, 1), "decided": progress.decided() - decided}

    log = Path(tempfile.mkdtemp()) / "workers.log"
    with Workers(stack, log) as workers:
        for slot in SLOTS:
            workers.start(slot)
        publishing.start()
        eventually(lambda: progress.decided() > 0, "the first events are decided", PATIENCE_S)
        for number in BROKERS:
            began, decided = time.monotonic(), progress.decided()
            restart_broker(stack.data, number)
            timed(f"broker {number}", began, decided)
        for slot in SLOTS:
            began, decided = time.monotonic(), progress.decided()
            workers.replace(slot)
            eventually(lambda before=decided: progress.decided() > before, f"work goes on after {slot}", PATIENCE_S)
            timed(f"worker {slot}", began, decided)
        flowing = publishing.is_alive()
        publishing.enough()
        publishing.join(PATIENCE_S)
        publishing.check()
        eventually(lambda: progress.decided() >= publishing.total, "everything is decided", PATIENCE_S)
        workers.drain()
    progress.close()
    found = read_out(stack, policy, publishing)
    table = found.account.table()
    totals = {column: sum(row.values()) for column, row in table.items()}
    return {
        "events": publishing.total,
        "still_publishing_at_the_last_step": flowing,
        "steps": steps,
        "expected": dict(publishing.expected),
        "account": totals,
        "imbalances": found.account.imbalances(),
    }


def main() -> int:
    """Run it and say what came out."""
    figures = run(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 200.0)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    account = dict(figures["account"])  # type: ignore[call-overload]
    expected = dict(figures["expected"])  # type: ignore[call-overload]
    held = not figures["imbalances"] and figures["still_publishing_at_the_last_step"]
    held = held and all(account[fate] == count for fate, count in expected.items())
    return 0 if held and account["published"] == figures["events"] else 1


if __name__ == "__main__":
    sys.exit(main())
