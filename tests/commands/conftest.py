"""A country that is applied on the whole stack, with a running exchange and published samples; once a session."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.commands.kit import CHECKOUT, Said, decided_events, running_exchange, tidings
from tests.eventually import eventually

if TYPE_CHECKING:
    import subprocess

    from deploy.local.stack import Stack
    from tidings.kafka.cluster import Cluster
    from tidings.policy.model import Policy


@dataclass(frozen=True)
class Mended:
    """A policy whose manifest was damaged while no worker ran, and the plan and the apply after that."""

    before: Policy
    refusal: str
    planned: Said
    applied: Said
    after: Policy


@dataclass
class Life:
    """A stack whose country is applied: `folder` holds its own copy of the example country's files."""

    stack: Stack
    folder: Path
    attempts: list[tuple[str, ...]]
    """The kinds of change that were still due at each attempt of an apply that was broken off after its first step."""
    mended: Mended = field(init=False)

    @property
    def cluster(self) -> Cluster:
        """The stack's cluster."""
        return self.stack.cluster

    def tidings(self, *arguments: str) -> Any:
        """A command with this cluster, and with this country where the command takes one."""
        country = ("--country", str(self.folder)) if arguments[0] in ("plan", "apply", "approve") else ()
        where = () if arguments[0] == "approve" else ("--cluster", str(self.stack.cluster_file))
        return tidings(*arguments, *country, *where)

    def policy(self) -> Policy:
        """The policy in force."""
        from tidings.kafka.policy_store import PolicyReader

        with PolicyReader(self.cluster, "admin") as reader:
            return reader.load()


@dataclass
class Running:
    """The same with a worker, and `published` samples, all decided."""

    life: Life
    process: subprocess.Popen[bytes]
    published: int

    def publish(self, agency: str, event_type: str, event: dict[str, Any]) -> None:
        """Publish one more event with the agency's own credentials, and wait until it is decided."""
        from producers.publisher import EventPublisher

        before = decided_events(self.life.cluster)
        with EventPublisher(self.life.cluster, agency) as publisher:
            publisher.publish(event_type, event)
        eventually(lambda: decided_events(self.life.cluster) == before + 1, "the event is decided")
        self.published += 1


@pytest.fixture(scope="session")
def life(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """The example country, applied by an apply that is broken off after every step and begun again, then damaged and
    mended."""
    from tests.commands.broken_off import apply_in_steps

    folder = tmp_path_factory.mktemp("country") / "agreements"
    shutil.copytree(CHECKOUT / "agreements", folder)
    made = Life(stack, folder, apply_in_steps(stack.cluster_file, folder))
    made.mended = _damage_and_mend(made)
    return made


def _damage_and_mend(life: Life) -> Mended:
    """Here, since a worker would stop: the manifest damaged, then a plan and an apply."""
    from tidings import topics
    from tidings.errors import Fatal
    from tidings.kafka.policy_store import CURRENT
    from tidings.kafka.produce import RecordProducer

    before, failures = life.policy(), []
    producer = RecordProducer(life.cluster, "admin")
    producer.send(topics.POLICY, CURRENT, b"{}", failures.append)
    producer.flush()
    assert failures == [None]
    with pytest.raises(Fatal) as refused:
        life.policy()
    planned, applied = life.tidings("plan"), life.tidings("apply", "--quiet")
    return Mended(before, str(refused.value), planned, applied, life.policy())


@pytest.fixture(scope="session")
def running(life: Life, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A worker that has taken the policy up and decided every sample that must pass."""
    from commands._apply import wait_for_workers
    from deploy.prometheus.observe import TARGETS
    from producers.publisher import EventPublisher
    from tidings.agreements.samples import load_samples
    from tidings.catalogue import default_catalogue_dir, load_catalogue
    from tidings.kafka.group_members import has_members

    log = tmp_path_factory.mktemp("exchange") / "exchange.log"
    catalogue, samples = load_catalogue(default_catalogue_dir()), load_samples(default_catalogue_dir())
    with running_exchange(life.stack.cluster_file, log, life.stack.data / TARGETS) as process:
        eventually(lambda: has_members(life.cluster, "admin"), "a worker joins")
        wait_for_workers(life.cluster, life.policy(), {}, 30)
        published = 0
        for agency in {each.owner for each in catalogue.event_types.values()}:
            with EventPublisher(life.cluster, agency, catalogue=catalogue) as publisher:
                for name, cases in samples.items():
                    if catalogue.event_types[name].owner == agency:
                        for event in cases.values():
                            publisher.publish(name, event)
                            published += 1
        eventually(lambda: decided_events(life.cluster) == published, "all samples are decided")
        yield Running(life, process, published)
