"""A broker with an inbox of deaths and the feeds of some agreements of the example country, as `tidings apply` makes
them, for the little that is measured."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.broker import ADMIN, PLAIN, Broker, broker
from benchmarks.contender import BUILD, CHECKOUT
from tidings.agreements import load_country
from tidings.agreements.compiled import compiled_terms
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.clock import Deadline, SystemClock
from tidings.errors import Retriable
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.cluster import Cluster
from tidings.kafka.errors import Abortable
from tidings.kafka.genesis import start_partitions
from tidings.kafka.policy_store import current_version, publish
from tidings.keys import KeyRing
from tidings.log import Partition
from tidings.policy.codec import sealed
from tidings.policy.compile import compile_policy
from tidings.policy.model import Environment, Inbox, Policy, View
from tidings.provisioning.topic_plan import topics_of
from tidings.topics import feed

EVENT_TYPE = "death-registered"
AGREEMENTS = ("bereavement-benefits", "driving-licence-closure", "mortality-statistics")
_RETENTION_DAYS = 14
_START_S = 60.0
_PUBLISH_TRIES = 4


@dataclass(frozen=True, slots=True)
class Views:
    """One inbox, its views and their keys."""

    policy: Policy
    keys: KeyRing

    @property
    def inbox(self) -> Inbox:
        """The one inbox."""
        return self.policy.inboxes[0]

    @property
    def views(self) -> tuple[View, ...]:
        """Those of the inbox, in the order of their feeds."""
        return self.policy.views

    @property
    def feeds(self) -> list[str]:
        """One a view."""
        return [view.feed for view in self.views]


@dataclass(frozen=True, slots=True)
class Site(Views):
    """What runs: the broker, with the policy in force."""

    broker: Broker

    @property
    def cluster(self) -> Cluster:
        """By the plain listener."""
        return self.broker.cluster(PLAIN)

    def start(self, deployment: str) -> None:
        """Give a deployment of its own the inbox from its first event on: as if nobody had worked here before."""
        clock = SystemClock()
        partitions = [Partition(self.inbox.topic, number) for number in range(self.inbox.partitions)]
        start_partitions(self.broker.cluster(PLAIN, deployment), ADMIN, partitions, clock, Deadline(clock, _START_S))


@contextmanager
def site(*, agreements: int = len(AGREEMENTS), partitions: int = 1, short_lived: bool = False) -> Iterator[Site]:
    """Bring it up in a folder of its own, and take it down, data and all.

    With more than three `agreements` the three stand there again under other names, with keys and feeds of their own.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="site-", dir=BUILD))
    try:
        with broker(home / "data", short_lived=short_lived) as running:
            keys = KeyRing.from_file(running.cluster(PLAIN).keys_file)
            policy = make_policy(keys, agreements=agreements, partitions=partitions)
            _provide(running, policy)
            yield Site(policy, keys, running)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def make_policy(keys: KeyRing, *, agreements: int, partitions: int) -> Policy:
    """Version 1 of a policy of that many views of one inbox with that many partitions."""
    catalogue = load_catalogue(default_catalogue_dir())
    country = load_country(CHECKOUT / "agreements", catalogue)
    numbers = count(1_000)
    whole = make_country_policy(keys)
    inboxes = tuple(
        each.model_copy(update={"partitions": partitions}) for each in whole.inboxes if each.event_type == EVENT_TYPE
    )
    first = {view.agreement: view for view in whole.views if view.event_type == EVENT_TYPE}
    views = [first[name] for name in AGREEMENTS[:agreements]]
    for number in range(len(views), agreements):
        like = country.find(AGREEMENTS[number % len(AGREEMENTS)])
        other = like.model_copy(update={"agreement": f"{like.agreement}-{number}", "linkage": None})
        terms = compiled_terms(other, catalogue)[EVENT_TYPE]
        changed = {
            "agreement": other.agreement,
            "feed": feed(other.subscriber, other.agreement, other.version, EVENT_TYPE),
            "schema_id": next(numbers),
            "view_schema": terms.view_schema,
            "key_group": other.key_group,
        }
        views.append(first[like.agreement].model_copy(update=changed))
    return sealed(whole.model_copy(update={"inboxes": inboxes, "views": tuple(sorted(views, key=_feed))}))


def make_country_policy(keys: KeyRing) -> Policy:
    """Version 1 of the whole example country's policy, its schemas numbered as they come."""
    catalogue = load_catalogue(default_catalogue_dir())
    numbers = count(1)
    return compile_policy(
        catalogue,
        load_country(CHECKOUT / "agreements", catalogue),
        lambda _topic, _schema: next(numbers),
        version=1,
        environment=Environment.SYNTHETIC,
        now_ms=SystemClock().now_ms(),
        keys=keys,
    )


def _feed(view: View) -> str:
    return view.feed


def _provide(running: Broker, policy: Policy) -> None:
    cluster = running.cluster(PLAIN)
    retention = {(view.agreement, view.agreement_version): _RETENTION_DAYS for view in policy.views}
    plans = topics_of(policy, {EVENT_TYPE: _RETENTION_DAYS}, retention)
    admin = Admin(cluster)
    admin.create_topics([Topic(plan.name, plan.partitions, 1, plan.config) for plan in plans])
    admin.wait_for_topics({plan.name: plan.partitions for plan in plans})
    _publish(cluster, policy)


def _publish(cluster: Cluster, policy: Policy) -> None:
    """A broker that has just started, on a busy machine, may answer too late: then it is asked again."""
    for left in reversed(range(_PUBLISH_TRIES)):
        try:
            publish(cluster, ADMIN, policy)
        except (Abortable, Retriable):
            if current_version(cluster, ADMIN) >= policy.version:
                return
            if not left:
                raise
        else:
            return


def partitions_of(topics: Sequence[str], partitions: int) -> list[Partition]:
    """Every partition of topics that have equally many."""
    return [Partition(topic, number) for topic in topics for number in range(partitions)]
