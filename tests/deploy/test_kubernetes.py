"""deploy/kubernetes: what the definitions say of every manifest, who may reach whom, and what the files make of it."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.kubernetes.files import HELD_ELSEWHERE, HOME, files
from deploy.kubernetes.manifests import BROKERS, OURS
from deploy.kubernetes.workloads import workloads
from deploy.prometheus.files import COMPOSE_PROCESSORS, HEALTH_PORT, JOBS
from deploy.settings import AUTHORIZER, broker_settings
from stream_processors.host.discover import processor_names
from tests.commands.kit import CHECKOUT, tidings
from tests.deploy.command_lines import unknown
from tests.deploy.manifests import below, documents, kustomized, problems
from tests.deploy.test_compose import composed
from tidings.deployment import CORRECTION_WINDOW, slot_name
from tidings.kafka.cluster import STRIMZI, Cluster
from tidings.provisioning.processors import principal_of
from tidings.topics import is_id

GENERATED_NAME = {"name": "apply-1"}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `tidings deploy kubernetes` makes of the example country."""
    folder = tmp_path_factory.mktemp("generated")
    said = tidings("deploy", "kubernetes", folder, "--country", CHECKOUT / "agreements")
    assert said.code == 0, said.err
    return folder


@cache
def base() -> dict[tuple[str, str], dict[str, Any]]:
    """Every resource of the base, by kind and name."""
    return {
        (each["kind"], each["metadata"]["name"]): each
        for path, each in below(HOME / "base")
        if path.name != "kafka-settings.yaml"
    }


def pods() -> dict[str, dict[str, Any]]:
    """The pod templates of the base and of apply, by name."""
    [apply] = documents(HOME / "apply.yaml")
    found = {name: each for (kind, name), each in base().items() if kind in ("Deployment", "StatefulSet")}
    return {name: each["spec"]["template"] for name, each in found.items()} | {"apply": apply["spec"]["template"]}


def containers(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Every container of a pod, those that prepare it first."""
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


def made(generated: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """What runs because the files say so, by kind and name."""
    return {(each["kind"], each["metadata"]["name"]): each for each in documents(generated / "workloads.yaml")}


@pytest.mark.parametrize("name", sorted(files()))
def test_the_checkout_is_current(name: str) -> None:
    """`make docs` would write nothing new."""
    assert (HOME / name).read_text("utf-8") == files()[name]


@pytest.mark.parametrize(
    ("path", "document"),
    [pytest.param(path, each, id=f"{path.parent.name}-{path.stem}-{each['kind']}-{each['metadata'].get('name', '')}")
     for path, each in below(HOME) if path.parent.name != "example" and path.name != "kafka-settings.yaml"],
)  # fmt: skip
def test_every_manifest_is_one(path: Path, document: dict[str, Any]) -> None:  # noqa: ARG001 - the id names it
    """By Kubernetes' own schemas, Strimzi's definitions and KEDA's, and nothing in it that they do not know."""
    if "generateName" in document["metadata"]:
        document = document | {"metadata": {**document["metadata"], **GENERATED_NAME}}

    assert problems(document) == []


def test_the_brokers_settings_are_a_part_of_strimzis_resource() -> None:
    """The patch, put onto the resource as Kustomize does."""
    [patch] = documents(HOME / "base" / "kafka-settings.yaml")
    kafka = base()["Kafka", "tidings"]
    merged = kafka | {"spec": kafka["spec"] | {"kafka": kafka["spec"]["kafka"] | patch["spec"]["kafka"]}}

    assert problems(merged) == []


@pytest.mark.parametrize(
    ("kind", "name", "path"),
    [("Kafka", "tidings", ("kafka", "confg")), ("StatefulSet", "exchange", ("replcas",)),
     ("KafkaUser", "admin", ("quota",))],
)  # fmt: skip
def test_a_misspelt_key_is_refused(kind: str, name: str, path: tuple[str, ...]) -> None:
    """The guard itself is tried: a cluster would drop the key and say nothing."""
    wrong = json.loads(json.dumps(base()[kind, name]))
    place = wrong["spec"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = 1

    assert problems(wrong)


def test_strimzis_brokers_have_the_settings_of_the_table() -> None:
    """Every one of them, the two that Strimzi writes itself among them; and no operator touches access rules."""
    kafka = documents(HOME / "base" / "kafka-settings.yaml")[0]["spec"]["kafka"]
    table = broker_settings(BROKERS)
    authorization = kafka["authorization"]
    held = {"authorizer.class.name": authorization["authorizerClass"]}
    held["super.users"] = ";".join(f"User:{name}" for name in authorization["superUsers"])

    assert kafka["config"] | held == table
    assert set(held) == set(HELD_ELSEWHERE)
    assert held["authorizer.class.name"] == AUTHORIZER
    assert authorization["supportsAdminApi"] is False
    assert base()["KafkaNodePool", "brokers"]["spec"]["replicas"] == BROKERS


def test_every_listener_wants_tls_and_a_password() -> None:
    """That of the base, and those of the example."""
    [example] = documents(HOME / "example" / "agencies.yaml")
    for kafka in (base()["Kafka", "tidings"], example):
        for listener in kafka["spec"]["kafka"]["listeners"]:
            assert listener["tls"] is True
            assert listener["authentication"] == {"type": "scram-sha-512"}
            assert listener["networkPolicyPeers"]


def test_a_workers_slot_is_its_pods_ordinal() -> None:
    """So its transactional id outlives every restart, and no two workers share one."""
    worker = pods()["exchange"]["spec"]["containers"][0]

    assert worker["args"][:4] == ["run", "exchange", "--slot", "$(TIDINGS_SLOT)"]
    assert worker["env"][0]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['apps.kubernetes.io/pod-index']"
    assert base()["PodDisruptionBudget", "exchange"]["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("name", ["exchange", "monitor"])
def test_workers_and_monitor_are_probed_where_they_answer(name: str) -> None:
    """On the port that the command names, at the paths that `tidings.kafka.health` serves."""
    [container] = pods()[name]["spec"]["containers"]
    _probed(container)


def _probed(container: dict[str, Any]) -> None:
    args = container["args"]

    assert args[args.index("--health-host") + 1] == "0.0.0.0"  # noqa: S104 - a pod's network is its own
    assert args[args.index("--health-port") + 1] == str(container["ports"][0]["containerPort"])
    assert {each: container[each]["httpGet"]["path"] for each in container if each.endswith("Probe")} == {
        "startupProbe": "/live", "livenessProbe": "/live", "readinessProbe": "/ready",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(pods()))
def test_every_pod_is_closed(name: str) -> None:
    """As Pod Security's `restricted` wants it: no root, no rights, nothing written but in memory and /tmp."""
    _closed(pods()[name])


def _closed(template: dict[str, Any]) -> None:
    spec = template["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(template):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("exchange", {"exchange", "tidings-root-key"}),
        ("monitor", {"monitor"}),
        ("policy", {"admin"}),
        ("apply", {"admin", "registry", "tidings-root-key"}),
    ],
)
def test_each_pod_is_given_its_own_secrets_alone(name: str, secrets: set[str]) -> None:
    """As files, never as variables; the authorities' certificates are no secret."""
    _given(pods()[name], secrets)


def _given(template: dict[str, Any], secrets: set[str]) -> None:
    volumes = template["spec"]["volumes"]
    sources = [each["secret"]["name"] for volume in volumes for each in volume.get("projected", {}).get("sources", [])
               if "secret" in each]  # fmt: skip

    assert set(sources) == secrets | {"tidings-cluster-ca-cert", "registry-gate-tls"}
    assert "secretKeyRef" not in json.dumps(template)


def test_nothing_is_allowed_that_no_policy_names() -> None:
    """A default of nothing, for every pod, both ways; and every pod of ours that may reach the brokers says so."""
    assert base()["NetworkPolicy", "default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    labelled = {name for name, each in pods().items() if each["metadata"]["labels"].get("tidings/kafka") == "client"}

    assert labelled == set(pods())


def test_the_cluster_file_says_who_makes_what() -> None:
    """Both are read by the product; principals, topics and quotas are Strimzi's."""
    found = {name: Cluster.load(HOME / name / "cluster.json") for name in ("base", "example")}

    assert {each.provisioned_by for each in found.values()} == {STRIMZI}
    assert {name: each.environment.value for name, each in found.items()} == {"base": "SYNTHETIC", "example": "LIVE"}


def test_topics_and_users_follow_from_the_files(generated: Path) -> None:
    """A topic each with the settings of the plan, an agency each with its quotas; no access rule."""
    topics, users = documents(generated / "topics.yaml"), documents(generated / "users.yaml")
    derived = {principal_of(name) for name in processor_names()} | {CORRECTION_WINDOW}

    assert [problem for each in (*topics, *users) for problem in problems(each)] == []
    assert {each["spec"]["config"]["message.timestamp.type"] for each in topics} == {"LogAppendTime"}
    assert all(is_id(each["metadata"]["name"]) for each in users)
    assert not {each["metadata"]["name"] for each in users} & set(OURS)
    assert {each["metadata"]["name"] for each in users} > derived
    assert [each for each in users if "authorization" in each["spec"]] == []
    [dwp] = [each for each in users if each["metadata"]["name"] == "dwp"]
    assert set(dwp["spec"]["quotas"]) >= {"producerByteRate", "consumerByteRate"}


def test_the_gate_knows_every_principal_and_no_other(generated: Path) -> None:
    """By the patch: ours and each agency's, from the Secret that Strimzi makes for it."""
    [patch] = documents(generated / "gate.yaml")
    [volume] = patch["spec"]["template"]["spec"]["volumes"]
    names = {each["secret"]["name"] for each in volume["projected"]["sources"]}

    assert names == set(OURS) | {each["metadata"]["name"] for each in documents(generated / "users.yaml")}


def test_processors_and_window_run_because_files_say_so(generated: Path) -> None:
    """A StatefulSet for each that there is, valid, closed, probed, with its own password alone; the registry is asked
    by processors, and where nothing is held there is no window."""
    found = made(generated)
    sets = {name: each["spec"] for (kind, name), each in found.items() if kind == "StatefulSet"}
    processors = {principal_of(name) for name in processor_names()}

    assert [(key, problem) for key, each in found.items() for problem in problems(each)] == []
    assert set(sets) == processors | {CORRECTION_WINDOW}
    for name, spec in sets.items():
        template = spec["template"]
        labels, [container] = template["metadata"]["labels"], template["spec"]["containers"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
        assert found["Service", spec["serviceName"]]["spec"]["selector"].items() <= labels.items()
        assert labels["tidings/kafka"] == "client"
        assert (labels.get("tidings/registry") == "client") is (name in processors)
        assert unknown(container["args"]) is None
        assert container["ports"] == [{"name": "health", "containerPort": HEALTH_PORT}]
        _probed(container)
        _closed(template)
        _given(template, {name})
    assert workloads(["admin", "dwp", "exchange"]) == []
    window = sets[CORRECTION_WINDOW]
    assert window["template"]["spec"]["containers"][0]["args"][2:4] == ["--slot", "$(TIDINGS_SLOT)"]
    assert window["replicas"] > found["PodDisruptionBudget", CORRECTION_WINDOW]["spec"]["maxUnavailable"]


def test_what_runs_is_told_the_same_by_compose(generated: Path) -> None:
    """Processors to the letter; the window but for its slot."""
    commands = {name: each["command"] for name, each in composed()["services"].items() if "command" in each}
    args = {
        name: each["spec"]["template"]["spec"]["containers"][0]["args"]
        for (kind, name), each in made(generated).items()
        if kind == "StatefulSet"
    }

    assert all(commands[principal_of(name)] == args[principal_of(name)] for name in COMPOSE_PROCESSORS)
    slot = args[CORRECTION_WINDOW].index("--slot") + 1
    assert commands[CORRECTION_WINDOW] == [*args[CORRECTION_WINDOW][:slot], "0", *args[CORRECTION_WINDOW][slot + 1 :]]


def test_metrics_are_served_to_prometheus_alone(generated: Path) -> None:
    """The policy lets it in at the port of whoever serves them, by the label that Prometheus makes its job of."""
    policy = base()["NetworkPolicy", "metrics"]["spec"]
    [expression] = policy["podSelector"]["matchExpressions"]
    everybody = pods() | {name: each["spec"]["template"] for (kind, name), each in made(generated).items()
                          if kind == "StatefulSet"}  # fmt: skip
    serving = {
        template["metadata"]["labels"]["app.kubernetes.io/component"]
        for template in everybody.values()
        if any(
            port["containerPort"] == HEALTH_PORT for c in template["spec"]["containers"] for port in c.get("ports", [])
        )
    }

    assert expression["key"] == "app.kubernetes.io/component"
    assert set(expression["values"]) == serving == set(JOBS)
    assert policy["ingress"][0]["ports"] == [{"port": HEALTH_PORT}]


def test_prometheus_calls_pods_what_they_call_themselves(generated: Path) -> None:
    """Its relabelling makes job and worker, which rules and dashboards go by, of a pod's labels; others are left."""
    [job] = YAML(typ="safe").load((HOME.parent / "prometheus" / "kubernetes.yml").read_text("utf-8"))["scrape_configs"]
    everybody = pods() | {name: each["spec"]["template"] for (kind, name), each in made(generated).items()
                          if kind == "StatefulSet"}  # fmt: skip
    named = {
        (labels["job"], labels["worker"])
        for template in everybody.values()
        if (labels := _relabelled(template["metadata"]["labels"], template["spec"]["containers"][-1], job)) is not None
    }

    assert named == {
        ("exchange", slot_name("main", 7)),
        (CORRECTION_WINDOW, slot_name("main", 7, CORRECTION_WINDOW)),
        ("monitor", "monitor-main"),
        *(("processor", f"{principal_of(name)}-main") for name in processor_names()),
    }


def _relabelled(labels: dict[str, str], container: dict[str, Any], job: dict[str, Any]) -> dict[str, str] | None:
    """A target of that container as Prometheus has it in slot 7, None where it keeps none. Source: "relabel_config"."""
    found = {
        f"__meta_kubernetes_pod_label_{re.sub(r'[^a-zA-Z0-9_]', '_', name)}": each for name, each in labels.items()
    }
    if labels["app.kubernetes.io/name"] in ("exchange", CORRECTION_WINDOW):
        found["__meta_kubernetes_pod_label_apps_kubernetes_io_pod_index"] = "7"
    found["__meta_kubernetes_pod_container_port_name"] = container.get("ports", [{"name": ""}])[0]["name"]
    for rule in job["relabel_configs"]:
        text = ";".join(found.get(name, "") for name in rule["source_labels"])
        match = re.fullmatch(rule.get("regex", "(.*)"), text)
        if rule.get("action") == "keep" and match is None:
            return None
        if rule.get("action", "replace") == "replace" and match is not None:
            made_of = re.sub(r"\$(\d)", r"\\\1", rule.get("replacement", "$1"))
            found[rule["target_label"]] = match.expand(made_of)
    return found


def test_kustomize_makes_the_example_of_it(generated: Path, tmp_path: Path) -> None:
    """With Kustomize itself, where it is: the overlay's changes arrive, and all that comes out is valid."""
    shutil.copytree(HOME, tmp_path / "kubernetes")
    shutil.copytree(generated, tmp_path / "kubernetes" / "example" / "generated")
    made = kustomized(tmp_path / "kubernetes" / "example")
    if made is None:
        pytest.skip("kustomize is not installed")
    found = {(each["kind"], each["metadata"]["name"]): each for each in made}

    assert [(key, problem) for key, each in found.items() for problem in problems(each)] == []
    assert {each["metadata"].get("namespace", "tidings") for each in made} == {"tidings"}
    kafka = found["Kafka", "tidings"]["spec"]["kafka"]
    assert [each["name"] for each in kafka["listeners"]] == ["client", "agencies"]
    assert kafka["config"]["min.insync.replicas"] == broker_settings(BROKERS)["min.insync.replicas"]
    assert json.loads(found["ConfigMap", "tidings-cluster"]["data"]["cluster.json"])["environment"] == "LIVE"
    volumes = {each["name"]: each for each in found["Deployment", "registry"]["spec"]["template"]["spec"]["volumes"]}
    assert len(volumes["credentials"]["projected"]["sources"]) == len(OURS) + len(documents(generated / "users.yaml"))
    assert {"tidings", "mounted", "gate-tls", "gate-settings"} <= set(volumes)
    images = {c["image"] for each in made if each["kind"] in ("Deployment", "StatefulSet")
              for c in containers(each["spec"]["template"])}  # fmt: skip
    assert images == {"tidings:0.1.0", "apicurio/apicurio-registry:3.3.3"}
