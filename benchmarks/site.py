"""A secured broker (TLS, SCRAM, ACLs) with one inbox partition of deaths and three feeds of the example country."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from deploy.local.stack import Options, down, up
from producers.encode import Encoder, WireEvent
from producers.simulator import Settings, simulate
from tidings.agreements import load_country
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.clock import Clock, Deadline, SystemClock, utc_date
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.cluster import Cluster
from tidings.kafka.genesis import start_partitions
from tidings.kafka.policy_store import publish
from tidings.keys import KeyRing
from tidings.log import Partition
from tidings.policy.codec import sealed
from tidings.policy.compile import compile_policy
from tidings.policy.model import Environment, Policy
from tidings.provisioning.desired import desired_state
from tidings.topics import DECISIONS, NONCES

CHECKOUT = Path(__file__).resolve().parents[1]
EVENT_TYPE = "death-registered"
PEOPLE = 200_000
AGREEMENTS = ("bereavement-benefits", "driving-licence-closure", "mortality-statistics")
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Site:
    """What runs: the cluster, its file and the policy in force."""

    cluster: Cluster
    cluster_file: Path
    policy: Policy

    @property
    def inbox(self) -> str:
        """The one inbox, of one partition."""
        return self.policy.inboxes[0].topic

    @property
    def feeds(self) -> list[str]:
        """The three feeds."""
        return [view.feed for view in self.policy.views]


@contextmanager
def site() -> Iterator[Site]:
    """Bring it up in a folder of its own, and take it down, data and all."""
    home = Path(tempfile.mkdtemp(prefix="tidings-benchmark-"))
    data = home / "data"
    try:
        stack = up(Options(data, registry=False, default_ports=False))
        yield Site(stack.cluster, stack.cluster_file, _provide(stack.cluster, SystemClock()))
    finally:
        down(data)
        shutil.rmtree(home)


@contextmanager
def worker(site: Site, log: Path, *, profile: Path | None = None) -> Iterator[int]:
    """One worker of `tidings run exchange` in a process of its own; drained at the end. Gives its process id.

    `profile` is where cProfile writes.
    """
    profiling = ["-m", "cProfile", "-o", str(profile)] if profile else []
    command = [
        sys.executable, *profiling, "-m", "commands.run", "exchange", "--slot", "0",
        "--cluster", str(site.cluster_file), "--parent", str(os.getpid()),
    ]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=out, stderr=out)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(60)


def events(site: Site, amount: int, seed: int = 7) -> list[WireEvent]:
    """`amount` sound deaths of the simulator, encoded: nothing of their making is measured. They are corrected and
    annulled as deaths are."""
    inbox = site.policy.inboxes[0]
    (schema_id,) = map(int, inbox.writer_schemas)
    encoder = Encoder(inbox.agency, inbox.event_type, schema_id, inbox.reader_schema)
    made: list[WireEvent] = []
    for number in count(seed):
        # A country that is not too large, for as many years as its people last, and then another one.
        settings = Settings(number, PEOPLE, bad_share=0, duplicate_share=0, only=frozenset({EVENT_TYPE}))
        deaths = simulate(min(amount - len(made), PEOPLE // 10), settings)
        made += [each.wire(encoder) for each in deaths]
        if len(made) == amount:
            return made
    raise AssertionError("there is always another country")


def _provide(cluster: Cluster, clock: Clock) -> Policy:
    """Topics, rights, start and policy, as `tidings apply` makes them, for the little that is measured."""
    catalogue = load_catalogue(default_catalogue_dir())
    country = load_country(CHECKOUT / "agreements", catalogue)
    keys = KeyRing.from_file(cluster.keys_file)
    numbers = count(1)
    whole = compile_policy(
        catalogue,
        country,
        lambda _topic, _schema: next(numbers),
        version=1,
        environment=Environment.SYNTHETIC,
        now_ms=clock.now_ms(),
        keys=keys,
    )
    inboxes = tuple(
        each.model_copy(update={"partitions": 1}) for each in whole.inboxes if each.event_type == EVENT_TYPE
    )
    views = tuple(each for each in whole.views if each.event_type == EVENT_TYPE and each.agreement in AGREEMENTS)
    policy = sealed(whole.model_copy(update={"inboxes": inboxes, "views": views}))
    desired = desired_state(policy, country, catalogue, {}, utc_date(clock.now_ms()), cluster.deployment)
    admin = Admin(cluster)
    admin.create_topics([Topic(plan.name, plan.partitions, 1, plan.config) for plan in desired.topics])
    admin.wait_for_topics({plan.name: plan.partitions for plan in desired.topics})
    admin.create_acls(desired.access)
    start_partitions(cluster, ADMIN, [Partition(inboxes[0].topic, 0)], clock, Deadline(clock, 60))
    publish(cluster, ADMIN, policy)
    return policy


__all__ = ["ADMIN", "DECISIONS", "NONCES", "Site", "events", "site", "worker"]
