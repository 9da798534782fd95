"""Under Strimzi: what its operators make of our manifests is what an apply wants, and what is missing is named."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from deploy.kubernetes.files import HOME
from deploy.kubernetes.manifests import manifests
from tests.deploy.manifests import documents, problems
from tests.tidings.provisioning.test_changes import desired
from tidings.clock import StillClock
from tidings.errors import Fatal
from tidings.kafka.cluster import Cluster
from tidings.kafka.hands import BrokerHands
from tidings.kafka.strimzi_hands import StrimziHands
from tidings.log import Partition
from tidings.provisioning.carry_out import carry_out
from tidings.provisioning.changes import Change, Kind, changes_between
from tidings.provisioning.state import Actual, ActualTopic, Desired, Left
from tidings.provisioning.topic_plan import TopicPlan

STRIMZIS = {Kind.PRINCIPAL, Kind.TOPIC, Kind.TOPIC_SETTING, Kind.QUOTA}
# Source: Strimzi 1.2, `KafkaUserQuotas`; Apache Kafka 4.3, "Quotas".
QUOTAS = {
    "producerByteRate": "producer_byte_rate",
    "consumerByteRate": "consumer_byte_rate",
    "requestPercentage": "request_percentage",
}


@dataclass
class Kafka:
    """A Kafka that Strimzi's operators look after: what they make of resources, seen as `Admin` and `Quotas` see it."""

    users: dict[str, dict[str, int]] = field(default_factory=dict)
    made: dict[str, ActualTopic] = field(default_factory=dict)

    def reconcile(self, resource: dict[str, Any]) -> None:
        """What an operator does with a resource. Fails where its definition refuses it, or it is of no kind of ours."""
        assert problems(resource) == []
        spec = resource["spec"]
        if resource["kind"] == "KafkaUser":
            given = spec.get("quotas", {})
            self.users[resource["metadata"]["name"]] = {QUOTAS[name]: value for name, value in given.items()}
        else:
            assert resource["kind"] == "KafkaTopic"
            # As an operator writes settings to the broker: each of them as text.
            config = {name: str(value) for name, value in spec["config"].items()}
            self.made[spec["topicName"]] = ActualTopic(spec["partitions"], config)

    def describe_topics(self, names: list[str]) -> dict[str, ActualTopic]:
        """Those of the topics that there are."""
        return {name: self.made[name] for name in names if name in self.made}

    def topics(self) -> dict[str, int]:
        """None holds a policy."""
        return {}

    def principals(self) -> set[str]:
        """Who has a credential."""
        return set(self.users)

    def acls(self) -> list[Any]:
        """No operator of Strimzi's makes one: docs/adr/0020."""
        return []

    def group_offsets(self, _group: str, _partitions: list[Partition]) -> dict[Partition, Any]:
        """Nobody has read."""
        return {}

    def describe(self) -> dict[str, dict[str, int]]:
        """Who has quotas."""
        return {name: quotas for name, quotas in self.users.items() if quotas}


def hands(kafka: Kafka, folder: Path, kind: type[BrokerHands] = StrimziHands) -> BrokerHands:
    """Ours, on that Kafka. They find no password in `folder`: Strimzi keeps these in Secrets."""
    cluster = Cluster.load(HOME / "base" / "cluster.json")
    cluster.credentials_dir = folder
    anything = cast("Any", kafka)
    return kind(cluster, anything, cast("Any", None), anything, StillClock())


def want() -> Desired:
    """As `plan` has it: with our own principals, one processor, and quotas of every kind."""
    few = desired()
    more = {"admin", "exchange", "monitor", "registry", "processor-data-quality"}
    quotas = {"dwp": {"consumer_byte_rate": 5, "producer_byte_rate": 6, "request_percentage": 7}}
    return replace(few, principals=few.principals | more, quotas=quotas)


def resources(name: str) -> list[dict[str, Any]]:
    """What the base has, and what `tidings deploy kubernetes` writes, of users or topics."""
    from ruamel.yaml import YAML

    mine = [each for each in YAML(typ="safe").load_all(manifests(want())[f"{name}.yaml"]) if each]
    return [*(documents(HOME / "base" / "users.yaml") if name == "users" else ()), *mine]


def look(kafka: Kafka, folder: Path, kind: type[BrokerHands] = StrimziHands) -> Actual:
    """What there is."""
    return hands(kafka, folder, kind).look(want(), Left(None), {})


def due(kafka: Kafka, folder: Path) -> list[Change]:
    """What Strimzi has still to make."""
    return [change for change in changes_between(want(), look(kafka, folder)) if change.kind in STRIMZIS]


def test_what_strimzi_makes_of_the_manifests_is_what_is_wanted(tmp_path: Path) -> None:
    """All of it is due at first, and nothing once every resource is reconciled; no password is here."""
    kafka = Kafka()
    before = {change.kind for change in due(kafka, tmp_path)}
    for each in (*resources("users"), *resources("topics")):
        kafka.reconcile(each)

    assert before == STRIMZIS - {Kind.TOPIC_SETTING}
    assert due(kafka, tmp_path) == []
    assert look(kafka, tmp_path, BrokerHands).principals == frozenset()
    assert list(tmp_path.iterdir()) == []


def test_what_strimzi_has_changed_is_due(tmp_path: Path) -> None:
    """A topic whose settings somebody edited, and a user without quotas, are seen and named."""
    kafka = Kafka()
    for each in (*resources("users"), *resources("topics")):
        kafka.reconcile(each)
    name = want().topics[0].name
    kafka.made[name] = ActualTopic(kafka.made[name].partitions, {**kafka.made[name].config, "retention.ms": "1"})
    kafka.users["dwp"] = {}

    assert {(change.kind, change.name) for change in due(kafka, tmp_path)} == {
        (Kind.TOPIC_SETTING, name), (Kind.QUOTA, "dwp"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("there", "kind", "first"),
    [((), "KafkaUser", "dwp"), (("users",), "KafkaTopic", "exchange.decisions")],
)
def test_an_apply_names_what_is_missing_and_makes_nothing(
    there: tuple[str, ...], kind: str, first: str, tmp_path: Path
) -> None:
    """In the order of an apply: users, then topics. It says which resource makes it and how it is written."""
    kafka = Kafka()
    for each in (resource for name in there for resource in resources(name)):
        kafka.reconcile(each)
    before = dict(kafka.users), dict(kafka.made)

    with pytest.raises(Fatal, match=rf"{first}.*tidings deploy kubernetes FOLDER.*every {kind} is Ready"):
        carry_out(due(kafka, tmp_path), want(), hands(kafka, tmp_path), lambda _line: None)

    assert (kafka.users, kafka.made) == before
    assert list(tmp_path.iterdir()) == []


def test_settings_and_quotas_are_strimzis_too(tmp_path: Path) -> None:
    """Each is refused by its own kind of resource, which Strimzi's definitions know."""
    mine = hands(Kafka(), tmp_path)
    plan = TopicPlan("feed.dwp.benefits.v1.death-registered", 1, {"retention.ms": "1"})

    with pytest.raises(Fatal, match=r"settings of topics.*feed\.dwp\.benefits.*KafkaTopic"):
        mine.set_topic(plan)
    with pytest.raises(Fatal, match=r"quotas.*dwp.*KafkaUser"):
        mine.set_quotas({"dwp": {"consumer_byte_rate": 5}})


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    """Five are named, the others counted."""
    with pytest.raises(Fatal, match=r"a0, a1, a2, a3, a4 and 3 more\. Write"):
        hands(Kafka(), tmp_path).make_principals([f"a{number}" for number in range(8)])
