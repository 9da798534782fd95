"""A real Prometheus and the monitor beside a local stack: found by its data folder, remembered there, ended with it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx

from deploy.local.beside import DRAIN_SECONDS, beside, end_beside, remember
from deploy.local.files import private_dir, write_private
from deploy.local.ports import HOST, choose
from deploy.local.processes import Process, check_alive, spawn, stop
from deploy.prometheus.files import HOME, config_file
from tidings.clock import Clock, Deadline, SystemClock
from tidings.errors import Fatal, Retriable

PORT = 9090
TARGETS = "targets"
"""Where, in a data folder, workers and monitor say where their metrics are."""
MONITOR = "monitor"
PROMETHEUS = "prometheus"
_START_SECONDS = 30.0
_CHECKOUT = Path(__file__).resolve().parents[2]


def observe(
    data: Path, cluster_file: Path, *, port: int | None = PORT, every_s: float = 5.0, clock: Clock | None = None
) -> str:
    """Start the monitor and Prometheus for the stack of `data`, or find them running. Returns Prometheus' address.

    Prometheus listens on loopback, at `port` where that is free, looks at everything every `every_s` seconds and keeps
    what it saw in `data`. Raises Fatal where it is not installed or does not start; nothing is left running then.
    """
    data, clock = data.resolve(), clock or SystemClock()
    binary = shutil.which("prometheus")
    if binary is None:
        raise Fatal("Prometheus is not installed: `apt-get install prometheus`, or put it on the PATH")
    watch = watching(data)
    if watch and all(each.running() for each in watch):
        return watch[-1].url
    stop_observing(data, clock)
    folder, logs, targets = private_dir(data / "prometheus"), private_dir(data / "logs"), data / TARGETS
    targets.mkdir(exist_ok=True)  # a worker may have made it; `data` itself is private
    for left in targets.glob("monitor-*.json"):
        left.unlink()
    interval = f"{max(1, round(every_s))}s"
    config = write_private(
        folder / "prometheus.yml", config_file(str(targets), str(HOME / "rules" / "*.yml"), interval)
    )
    [chosen] = choose([port])
    monitor = [sys.executable, "-m", "commands.run", "monitor", "--cluster", str(cluster_file.resolve())]
    monitor += ["--targets", str(targets), "--every", str(max(0.5, every_s))]
    prometheus = [
        binary, f"--config.file={config}", f"--storage.tsdb.path={folder / 'series'}", "--log.level=warn",
        f"--web.listen-address={HOST}:{chosen}", "--storage.tsdb.retention.time=7d",
    ]  # fmt: skip
    started: list[Process] = []
    url = f"http://{HOST}:{chosen}"
    try:
        started.append(spawn(MONITOR, monitor, logs / "monitor.log", cwd=_CHECKOUT))
        started.append(replace(spawn(PROMETHEUS, prometheus, logs / "prometheus.log", cwd=folder), url=url))
        remember(data, *started)
        _wait(url, targets, started, clock)
    except BaseException:
        stop(started, DRAIN_SECONDS, clock)
        raise
    return url


def watching(data: Path) -> tuple[Process, ...]:
    """Monitor and Prometheus as they were started for `data` last, running or not. Raises as `beside`."""
    return tuple(each for each in beside(data) if each.name in (MONITOR, PROMETHEUS))


def stop_observing(data: Path, clock: Clock | None = None) -> tuple[Process, ...]:
    """End what watches the stack of `data`. Returns what was running. Data stays."""
    return end_beside(data, (MONITOR, PROMETHEUS), clock)


def _wait(url: str, targets: Path, started: Sequence[Process], clock: Clock) -> None:
    """Return once Prometheus serves and the monitor has said where it is."""
    deadline = Deadline(clock, _START_SECONDS)
    while not (_serves(url) and any(targets.glob("monitor-*.json"))):
        for process in started:
            check_alive(process)
        if deadline.expired():
            raise Retriable(f"Prometheus and monitor did not serve in time; see {started[0].log}")
        clock.sleep(0.1)


def _serves(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=1.0).is_success
    except httpx.HTTPError:
        return False
