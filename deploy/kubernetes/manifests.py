"""What the files say that there should be: a KafkaTopic a topic, a KafkaUser an agency or processor, what runs for it.

Access rules are not among them: `tidings apply`, `stop` and `run policy` hold these, so that what is taken away stays
away and is away at once (docs/adr/0020). Source: Strimzi 1.2, "Custom resource API reference", `kafka.strimzi.io/v1`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from ruamel.yaml import YAML

from deploy.kubernetes.workloads import workloads
from tidings.provisioning.state import Desired, QuotaValues
from tidings.provisioning.topic_plan import TopicPlan

API = "kafka.strimzi.io/v1"
CLUSTER = "tidings"
BROKERS = 3
OURS = ("admin", "exchange", "monitor", "registry")
"""Principals of the base: their KafkaUsers stand in deploy/kubernetes/base/users.yaml."""
_QUOTAS = {
    "producer_byte_rate": "producerByteRate",
    "consumer_byte_rate": "consumerByteRate",
    "request_percentage": "requestPercentage",
}
_HEAD = "# Made by `tidings deploy kubernetes`; not edited by hand.\n"
_TOPICS_HEAD = _HEAD + (
    "# Deleting a KafkaTopic deletes the topic with all that is in it: never prune these, and annotate one that is to\n"
    '# be forgotten with strimzi.io/managed: "false" first.\n'
)


def manifests(desired: Desired) -> dict[str, str]:
    """The files of a Kustomize component, by name: topics, users with their quotas, what the gate may ask, and the
    workloads of derived processors and correction window."""
    others = sorted(desired.principals.difference(OURS))
    return {
        "topics.yaml": _TOPICS_HEAD + _yaml(_topic(each) for each in desired.topics),
        "users.yaml": _HEAD + _yaml(user(name, desired.quotas.get(name, {})) for name in others),
        "gate.yaml": _HEAD + _yaml([_gate((*OURS, *others))]),
        "workloads.yaml": _HEAD + _yaml(workloads(others)),
        "kustomization.yaml": _HEAD + _yaml([_COMPONENT]),
    }


def user(name: str, quotas: QuotaValues) -> dict[str, Any]:
    """One principal: its password is Strimzi's, its quotas are ours."""
    spec: dict[str, Any] = {"authentication": {"type": "scram-sha-512"}}
    if quotas:
        spec["quotas"] = {_QUOTAS[quota]: value for quota, value in sorted(quotas.items())}
    return _resource("KafkaUser", name, spec)


def _topic(plan: TopicPlan) -> dict[str, Any]:
    spec = {
        "topicName": plan.name,
        "partitions": plan.partitions,
        "replicas": BROKERS,
        "config": dict(sorted(plan.config.items())),
    }
    return _resource("KafkaTopic", plan.name, spec)


def _resource(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def _gate(principals: Iterable[str]) -> dict[str, Any]:
    """A patch: whose passwords the registry's gate knows. Strimzi keeps each in a Secret of the user's name."""
    sources = [
        {"secret": {"name": name, "items": [{"key": "password", "path": f"{name}.password"}]}} for name in principals
    ]
    volume = {"name": "credentials", "projected": {"defaultMode": 0o440, "sources": sources}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "registry"},
        "spec": {"template": {"spec": {"volumes": [volume]}}},
    }


_COMPONENT = {
    "apiVersion": "kustomize.config.k8s.io/v1alpha1",
    "kind": "Component",
    "resources": ["topics.yaml", "users.yaml", "workloads.yaml"],
    "patches": [{"path": "gate.yaml"}],
}


def _yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096
    out = io.StringIO()
    yaml.dump_all(list(documents), out)
    return out.getvalue()
