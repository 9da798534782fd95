"""The health of every part that can be asked: the stack's processes, the registry, workers, monitor, Prometheus."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from deploy.local.status import parts
from deploy.prometheus.observe import PROMETHEUS, TARGETS, watching
from tidings.errors import TidingsError
from tidings.kafka.cluster import Cluster
from tidings.kafka.registry import Registry

_TIMEOUT_S = 2.0
_NAMED = 2
ENDPOINT = "worker or monitor"


@dataclass(frozen=True, slots=True)
class Health:
    """One part: `state` in a word or two, and whether that is as it should be. `kind` is what it is part of; `runs`
    says of a worker which executors of the projection run, and why not native."""

    name: str
    state: str
    good: bool
    address: str
    log: str = ""
    kind: str = "stack"
    runs: str = ""


def health_of(data: Path, cluster: Cluster | None) -> tuple[Health, ...]:
    """Each part of the stack of `data`, the registry of `cluster`, and whoever said in `data` where its metrics are."""
    return (*_stack(data), *_registry(cluster), *_endpoints(data / TARGETS), *_prometheus(data))


def _stack(data: Path) -> Iterator[Health]:
    for part in parts(data):
        yield Health(part.name, "running" if part.running else "stopped", part.running, part.address, str(part.log))


def _registry(cluster: Cluster | None) -> Iterator[Health]:
    if cluster is None or not cluster.registry_url:
        return
    try:
        with Registry(cluster, timeout_seconds=_TIMEOUT_S) as registry:
            registry.compatibility()
    except TidingsError:
        yield Health("registry's answers", "none", good=False, address=cluster.registry_url)
    else:
        yield Health("registry's answers", "well", good=True, address=cluster.registry_url)


def _endpoints(targets: Path) -> Iterator[Health]:
    """Who announced itself, by its own `/ready`. A file that cannot be read is somebody who cannot be asked."""
    for path in sorted(targets.glob("*.json")):
        try:
            [entry] = json.loads(path.read_bytes())
            address = str(entry["targets"][0])
            answer = httpx.get(f"http://{address}/ready", timeout=_TIMEOUT_S, trust_env=False)
            runs = _runs(answer.json().get("projection", {}))
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, httpx.HTTPError):
            yield Health(path.stem, "no answer", good=False, address="", kind=ENDPOINT)
            continue
        ready = answer.status_code == HTTPStatus.OK
        yield Health(path.stem, "ready" if ready else "not ready", ready, address, kind=ENDPOINT, runs=runs)


def _runs(projection: Mapping[str, Mapping[str, str]]) -> str:
    """Executors with how many inboxes each has, and each reason why one is not native."""
    inboxes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for topic, each in projection.items():
        inboxes[each["executor"], each["why_not_native"]].append(topic)
    return ", ".join(
        f"{executor}: {len(topics)} inboxes"
        + (f", since {why} ({', '.join(topics[:_NAMED])}{'…' * (len(topics) > _NAMED)})" if why else "")
        for (executor, why), topics in sorted(inboxes.items())
    )


def _prometheus(data: Path) -> Iterator[Health]:
    for process in watching(data):
        if process.name == PROMETHEUS:
            running = process.running()
            yield Health(PROMETHEUS, "running" if running else "stopped", running, process.url, process.log, "observe")
