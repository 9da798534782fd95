"""Which machine it was, and how noisy: a figure without them says little."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import confluent_kafka

from tidings.clock import SystemClock


def machine() -> dict[str, Any]:
    """What it is, without its name or address."""
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gb": round(int(_first("/proc/meminfo", "MemTotal").split()[0]) / 1e6),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "librdkafka": confluent_kafka.libversion()[0],
    }


@contextmanager
def noise(into: dict[str, Any]) -> Iterator[None]:
    """Write into `into` what else the machine did: load average before, the share of time that a hypervisor took away
    (steal), when it was and how long it took."""
    clock = SystemClock()
    into |= {"at_ms": clock.now_ms(), "load_before": round(os.getloadavg()[0], 2)}
    began, before = clock.monotonic(), _processor_time()
    try:
        yield
    finally:
        spent = [after - earlier for after, earlier in zip(_processor_time(), before, strict=True)]
        into["steal_share"] = round(spent[7] / max(1, sum(spent)), 4)
        into["seconds"] = round(clock.monotonic() - began, 1)


def _processor_time() -> list[int]:
    """Source: proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal."""
    return [int(each) for each in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]


def _first(path: str, name: str) -> str:
    for line in Path(path).read_text("utf-8").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"
