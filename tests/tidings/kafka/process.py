"""One worker in a process of its own, for tests that kill it.

The specification is JSON: how to reach the log, the slot, and at which step (and which time it is reached) to die by
SIGKILL. Where `pause_file` is given, the worker stands still at the step until that file exists.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.forked import Forked, forks
from tests.tidings.kafka.kit import PRINCIPAL, Copier, Log, PlainCluster
from tidings.kafka.settings import LoopSettings
from tidings.kafka.worker import Place, run_worker


@dataclass(frozen=True)
class Spec:
    """What such a worker does. `step` empty: nothing special."""

    cluster: dict[str, Any]
    name: str
    inboxes: list[str]
    slot: int = 0
    step: str = ""
    times: int = 1
    pause_file: str = ""
    batch_max_events: int = 50
    protocol: str = "consumer"


def spawn(log: Log, slot: int = 0, **options: Any) -> Forked:
    """Start one. The caller waits for it, or kills it."""
    spec = Spec(describe(log.cluster.cluster), log.name, log.inboxes, slot, **options)
    return Forked(__name__, json.dumps(asdict(spec)))


def describe(cluster: Any) -> dict[str, Any]:
    """How another process reaches the same cluster."""
    if isinstance(cluster, PlainCluster):
        return {"bootstrap": cluster.bootstrap}
    return {key: str(getattr(cluster, key)) for key in ("bootstrap_servers", "ca_file", "credentials_dir", "keys_file")}


def reach(found: dict[str, Any]) -> Any:
    """The cluster that `describe` described."""
    if "bootstrap" in found:
        return PlainCluster(found["bootstrap"])
    from tidings.kafka.cluster import Cluster
    from tidings.policy.model import Environment

    paths = {key: Path(found[key]) for key in ("ca_file", "credentials_dir", "keys_file")}
    return Cluster(bootstrap_servers=found["bootstrap_servers"], environment=Environment.SYNTHETIC, **paths)


def die() -> None:
    """End this process at once, as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def stand_still(until: Path) -> None:
    """Say that the step is reached, and wait until the file `until` exists."""
    Path(f"{until}.reached").touch()
    while not until.exists():
        time.sleep(0.02)


def at_step(step: str, times: int, act: Callable[[], None] = die) -> Callable[[str], None]:
    """A probe that acts when `step` is reached for the `times`-th time; never, where `step` is empty."""
    left = times

    def probe(reached: str) -> None:
        nonlocal left
        left -= reached == step
        if left == 0 and reached == step:
            act()

    return probe


def main(text: str) -> int:
    """Run the worker of a specification."""
    spec = Spec(**json.loads(text))
    log = Log(reach(spec.cluster), spec.name)
    log.inboxes = list(spec.inboxes)
    pause_file = Path(spec.pause_file)
    probe = at_step(spec.step, spec.times, (lambda: stand_still(pause_file)) if spec.pause_file else die)
    settings = LoopSettings(
        batch_max_events=spec.batch_max_events,
        drain_max_events=spec.batch_max_events,
        group_protocol=spec.protocol,  # type: ignore[arg-type]
    )
    return run_worker(log.cluster, Place(spec.slot, PRINCIPAL), Copier(log), settings, probe=probe)


forks(__name__)
