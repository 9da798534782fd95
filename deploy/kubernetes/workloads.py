"""What runs beside the exchange because files say so: a StatefulSet for each derived processor, and one for the
correction window where an agreement holds its views back. Source: Kubernetes 1.34, "Workloads".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tidings.deployment import CORRECTION_WINDOW
from tidings.provisioning.processors import is_processor

PROCESSOR = "processor"
HEALTH_PORT = 9400
WINDOWS = 2
"""One lets everything go; the second takes its place within seconds."""
TABLES = "10Gi"
"""Of one processor: docs/guides/processors.md has what ten million subjects take."""
_DATA = "/var/lib/tidings"
_IMAGE = "tidings"
_CLOSED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
_COPY = """\
umask 077
cp /mounted/cluster.json /run/tidings/
cat /mounted/ca/*.crt >/run/tidings/ca.pem
mkdir -p /run/tidings/credentials
for file in /mounted/credentials/*; do install -m 0600 "$file" /run/tidings/credentials/; done
"""
_GIVEN = {"name": "tidings", "mountPath": "/run/tidings"}
_TMP = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - the container's own


def workloads(principals: Iterable[str]) -> list[dict[str, Any]]:
    """The workloads of those among `principals` that are ours to run, each with the Service that names its pods."""
    made: list[dict[str, Any]] = []
    for name in sorted(principals):
        if is_processor(name):
            made += [_service(name), _processor(name)]
        elif name == CORRECTION_WINDOW:
            made += [_service(name), _window(), _budget(name)]
    return made


def _processor(name: str) -> dict[str, Any]:
    """One process: what it says may stand still for a while. Its tables outlive it, which spares their recovery."""
    verb = name.removeprefix(f"{PROCESSOR}-")
    tables = {"name": "tables", "mountPath": _DATA}
    container = _container(PROCESSOR, ["run", verb, "--data", _DATA], memory=("256Mi", "1Gi"), more=[tables])
    spec = _stateful(name, PROCESSOR, container, replicas=1)
    spec["template"]["metadata"]["labels"]["tidings/registry"] = "client"
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": TABLES}}}
    spec["volumeClaimTemplates"] = [{"metadata": {"name": "tables"}, "spec": claim}]
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": spec}


def _window() -> dict[str, Any]:
    """A pod's ordinal is its slot, as the exchange's. What waits is in memory: docs/guides/correction-window.md."""
    command = ["run", CORRECTION_WINDOW, "--slot", "$(TIDINGS_SLOT)"]
    container = _container("window", command, memory=("256Mi", "2Gi"))
    slot = {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}}
    container["env"] = [{"name": "TIDINGS_SLOT", "valueFrom": slot}]
    spec = _stateful(CORRECTION_WINDOW, CORRECTION_WINDOW, container, replicas=WINDOWS)
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": CORRECTION_WINDOW}, "spec": spec}


def _stateful(name: str, component: str, container: dict[str, Any], *, replicas: int) -> dict[str, Any]:
    labels = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "tidings",
        "tidings/kafka": "client",
    }
    return {
        "serviceName": name,
        "replicas": replicas,
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "RollingUpdate"},
        "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
        "template": {"metadata": {"labels": labels}, "spec": _pod(name, container)},
    }


def _pod(principal: str, container: dict[str, Any]) -> dict[str, Any]:
    user = 10001
    files = {
        "name": "files",
        "image": _IMAGE,
        "command": ["sh", "-ec"],
        "args": [_COPY],
        "securityContext": _CLOSED,
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
        "volumeMounts": [{"name": "mounted", "mountPath": "/mounted", "readOnly": True}, _GIVEN],
    }
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [files],
        "containers": [container],
        "volumes": [
            {"name": "tidings", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "mounted", "projected": {"defaultMode": 0o440, "sources": _sources(principal)}},
        ],
    }


def _sources(principal: str) -> list[dict[str, Any]]:
    """What is mounted: where the cluster is, whom to trust, and its own password, which is Strimzi's."""
    secret = {"name": principal, "items": [{"key": "password", "path": f"credentials/{principal}.password"}]}
    kafka = {"name": "tidings-cluster-ca-cert", "items": [{"key": "ca.crt", "path": "ca/kafka.crt"}]}
    gate = {"name": "registry-gate-tls", "items": [{"key": "ca.crt", "path": "ca/gate.crt"}]}
    cluster = {"name": "tidings-cluster", "items": [{"key": "cluster.json", "path": "cluster.json"}]}
    return [{"configMap": cluster}, {"secret": kafka}, {"secret": gate}, {"secret": secret}]


def _container(
    name: str, command: list[str], *, memory: tuple[str, str], more: Iterable[dict[str, Any]] = ()
) -> dict[str, Any]:
    def asked(path: str, **often: int) -> dict[str, Any]:
        return {"httpGet": {"path": path, "port": "health"}, **often}

    least, most = memory
    return {
        "name": name,
        "image": _IMAGE,
        "args": [*command, "--health-host", "0.0.0.0", "--health-port", str(HEALTH_PORT)],  # noqa: S104 - its pod's
        "ports": [{"name": "health", "containerPort": HEALTH_PORT}],
        "securityContext": _CLOSED,
        "resources": {"requests": {"cpu": "100m", "memory": least}, "limits": {"memory": most}},
        "startupProbe": asked("/live", periodSeconds=2, failureThreshold=90),
        "livenessProbe": asked("/live", periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
        "readinessProbe": asked("/ready", periodSeconds=5, timeoutSeconds=5),
        "volumeMounts": [{**_GIVEN, "readOnly": True}, _TMP, *more],
    }


def _service(name: str) -> dict[str, Any]:
    spec = {
        "clusterIP": "None",
        "selector": {"app.kubernetes.io/name": name},
        "ports": [{"name": "health", "port": HEALTH_PORT}],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _budget(name: str) -> dict[str, Any]:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": name}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}
