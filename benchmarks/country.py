"""The example country on the whole local stack, applied, with simulated events that one exchange has decided: all by
the commands that an operator has."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contender import BUILD, CHECKOUT
from benchmarks.processes import watched
from deploy.local.stack import Options, Stack, down, up
from tidings.clock import Clock, Deadline, SystemClock
from tidings.deployment import EXCHANGE, group_name
from tidings.errors import Retriable
from tidings.kafka.admin import Admin
from tidings.kafka.policy_store import PolicyReader
from tidings.kafka.read import LogReader
from tidings.log import Partition
from tidings.policy.model import Policy

ADMIN = "admin"
TIMES = {"births": 12, "deaths": 6, "partnerships": 30, "divorces": 15}
"""How many times as often as in England and Wales these happen: the derived parts have little to do with the rest."""
_DECIDED_S = 900.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Country:
    """What runs: its stack, and the policy in force."""

    stack: Stack
    policy: Policy

    def command(self, *words: str) -> list[str]:
        """The command line of `tidings WORDS` on this cluster."""
        return [*TIDINGS, *words, "--cluster", str(self.stack.cluster_file)]


TIDINGS = (sys.executable, "-c", "from commands import main; main()")


@contextmanager
def country(events: int, seed: int = 1, *, short_lived: bool = False) -> Iterator[Country]:
    """Bring it up in a folder of its own, with so many events decided, and take it down, data and all.

    Raises Retriable where it does not come up or decide in time.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="country-", dir=BUILD))
    try:
        stack = up(Options(home / "data", default_ports=False, short_lived=short_lived))
        stack.wait_registry()
        run([*TIDINGS, "apply", "--cluster", str(stack.cluster_file), "--country", str(CHECKOUT / "agreements")])
        with PolicyReader(stack.cluster, ADMIN) as policies:
            made = Country(stack, policies.load())
        times = [word for name, factor in TIMES.items() for word in ("--times", f"{name}={factor}")]
        with watched(made.command("run", EXCHANGE), home / "exchange.log"):
            run(made.command("simulate", "--events", str(events), "--seed", str(seed), *times))
            _await_decided(made, SystemClock())
        yield made
    finally:
        down(home / "data")
        shutil.rmtree(home, ignore_errors=True)


def run(command: Sequence[str]) -> None:
    """Run a command to its end. Raises Retriable where it does not end well, with the end of what it said."""
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Retriable(f"{command[len(TIDINGS)]} ended with {done.returncode}: {done.stderr[-600:]}")


def ends_of(made: Country, topics: Iterable[str]) -> dict[Partition, int]:
    """Where each partition of topics ends."""
    with LogReader(made.stack.cluster, ADMIN) as reader:
        return reader.ends([partition for topic in topics for partition in reader.partitions(topic)])


def _await_decided(made: Country, clock: Clock) -> None:
    ends = ends_of(made, (inbox.topic for inbox in made.policy.inboxes))
    admin, group = Admin(made.stack.cluster), group_name(made.stack.cluster.deployment)
    deadline = Deadline(clock, _DECIDED_S)
    while True:
        committed = admin.group_offsets(group, list(ends))
        if all(committed.get(each, (0, ""))[0] >= end for each, end in ends.items()):
            return
        if deadline.expired():
            raise Retriable(f"the exchange did not decide everything within {_DECIDED_S:.0f} s")
        clock.sleep(_POLL_S)
