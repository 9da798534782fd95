"""A rolling upgrade, tried: three brokers and two workers are restarted one after another while events flow and a
subscriber reads, and then the account balances, every event has the fate that its sender expects, no chain of decisions
is broken, and the subscriber has read each view of its feeds once, in order.

    python -m tests.acceptance.rolling_upgrade FOLDER [EVENTS_PER_SECOND]

Minutes of two cores, so it is run by hand (docs/guides/upgrading.md quotes it) and not in CI. It ends with 1 where a
promise does not hold.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

from confluent_kafka import KafkaException

from deploy.local.restart import restart_broker
from deploy.local.stack import Options, Stack, down, up
from tests.acceptance.country import Progress, Publishing, Workers, apply
from tests.acceptance.test_kills import Finished, read_out
from tests.commands.kit import reader_of
from tests.eventually import eventually
from tidings.log import Partition
from tidings.policy.model import Policy
from tidings.projection import view_head

BROKERS, SLOTS = (1, 2, 3), (0, 1)
PATIENCE_S = 900.0
MOST_EVENTS = 1_000_000
SUBSCRIBER = "dwp"


class Tended(Workers):
    """Workers that are started again in their slots where they end by themselves, as compose and Kubernetes do:
    one whose transaction took longer than its time-out is fenced, and ends."""

    def __init__(self, stack: Stack, log: Path) -> None:
        super().__init__(stack, log)
        self.ended: list[int] = []
        self._end = threading.Event()
        self._tending = threading.Thread(target=self._tend, daemon=True)
        self._tending.start()

    def drain(self) -> None:
        """See `Workers`; nobody is started again from now on."""
        self._end.set()
        self._tending.join(60)
        super().drain()

    def _tend(self) -> None:
        while not self._end.wait(1.0):
            for slot, process in list(self._running.items()):
                code = process.poll()
                if code:
                    self.ended.append(code)
                    told(f"worker {slot} ended with {code}, and is started again")
                    self.start(slot)


class Subscriber(threading.Thread):
    """A subscribing agency's stock consumer on all its feeds, from first to last; `seen` has the sequences it read."""

    def __init__(self, stack: Stack, policy: Policy) -> None:
        super().__init__(daemon=True)
        self.feeds = sorted(
            {view.feed for view in policy.views if view.subscriber == SUBSCRIBER and not view.hold_seconds}
        )
        self.seen: dict[Partition, list[int]] = defaultdict(list)
        self._end = threading.Event()
        self._consumer = reader_of(stack.cluster, SUBSCRIBER, **{"group.id": f"{SUBSCRIBER}.upgrade"})

    def run(self) -> None:
        """Read until told to end. An error that is passing is the client's own business."""
        self._consumer.subscribe(self.feeds)
        while not self._end.is_set():
            try:
                message = self._consumer.poll(0.2)
            except KafkaException:
                continue
            if message is not None and message.error() is None:
                where = Partition(message.topic(), message.partition())
                self.seen[where].append(view_head(message.value()).sequence)
        self._consumer.close()

    def views(self) -> int:
        """How many it has read."""
        return sum(map(len, self.seen.values()))

    def finish(self) -> None:
        """End it, and wait."""
        self._end.set()
        self.join(60)

    def wrong(self, found: Finished) -> list[str]:
        """The feed partitions of which it did not read every view once, in order."""
        written = {where: len(records) for where, records in found.feeds.items() if where.topic in self.feeds}
        return [
            f"{where.topic}/{where.partition}" for where in written.keys() | self.seen.keys()
            if self.seen[where] != list(range(1, written.get(where, 0) + 1))
        ]  # fmt: skip


def run(folder: Path, rate: float) -> dict[str, object]:
    """Everything, on a stack of its own in `folder`. Returns the figures."""
    stack = up(Options(folder, brokers=len(BROKERS), default_ports=False))
    try:
        told("three brokers serve")
        return _upgrade(stack, apply(stack), rate)
    finally:
        down(folder)


def _upgrade(stack: Stack, policy: Policy, rate: float) -> dict[str, object]:
    told("the country is applied")
    publishing, progress = Publishing(stack, MOST_EVENTS, 7, [], rate), Progress(stack, policy)
    subscriber = Subscriber(stack, policy)
    steps: dict[str, dict[str, float]] = {}

    def timed(name: str, began: float, decided: int) -> None:
        publishing.check()
        steps[name] = {"seconds": round(time.monotonic() - began, 1), "decided": progress.decided() - decided}
        told(f"{name}: {steps[name]}")

    with Tended(stack, stack.data / "logs" / "workers.log") as workers:
        for slot in SLOTS:
            workers.start(slot)
        publishing.start()
        subscriber.start()
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
        told("everything is decided")
    progress.close()
    found = read_out(stack, policy, publishing)
    due = sum(len(records) for where, records in found.feeds.items() if where.topic in subscriber.feeds)
    eventually(lambda: subscriber.views() >= due, "the subscriber has read everything", PATIENCE_S)
    subscriber.finish()
    table = found.account.table()
    totals = {column: sum(row.values()) for column, row in table.items()}
    return {
        "events": publishing.total,
        "still_publishing_at_the_last_step": flowing,
        "steps": steps,
        "workers_started_again": len(workers.ended),
        "expected": dict(publishing.expected),
        "account": totals,
        "imbalances": found.account.imbalances(),
        "subscriber_read": subscriber.views(),
        "subscriber_gaps": subscriber.wrong(found),
    }


def told(what: str) -> None:
    """Say on standard error how far it is."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {what}\n")


def main() -> int:
    """Run it and say what came out."""
    figures = run(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 200.0)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    account = dict(figures["account"])  # type: ignore[call-overload]
    expected = dict(figures["expected"])  # type: ignore[call-overload]
    held = not figures["imbalances"] and not figures["subscriber_gaps"] and figures["still_publishing_at_the_last_step"]
    held = held and all(account[fate] == count for fate, count in expected.items())
    return 0 if held and account["published"] == figures["events"] else 1


if __name__ == "__main__":
    sys.exit(main())
