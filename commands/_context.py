"""What several verbs begin with: the options that they share, and the files and clients that these lead to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tidings import topics
from tidings.acl import Acl
from tidings.clock import SystemClock
from tidings.decisions import BLOCK_SCHEMA
from tidings.kafka.cluster import STRIMZI, Cluster, default_cluster_file
from tidings.notices import NOTICE_SCHEMA
from tidings.policy.model import Policy
from tidings.provisioning.planning import Planner
from tidings.provisioning.processors import ProcessorNeeds
from tidings.quarantine import QUARANTINE_SCHEMA
from tidings.releases import RELEASE_SCHEMA

ClusterOption = Annotated[
    Path | None,
    typer.Option(
        "--cluster", help="The cluster file; else $TIDINGS_CLUSTER, else .tidings/cluster.json.", show_default=False
    ),
]
CountryOption = Annotated[Path, typer.Option("--country", help="The folder of agencies.yaml and the agreements.")]
CatalogueOption = Annotated[
    Path | None,
    typer.Option("--catalogue", help="The folder of event types; else $TIDINGS_CATALOGUE.", show_default=False),
]
AsOption = Annotated[str, typer.Option("--as", metavar="AGENCY", help="Whose credentials to use.", show_default=False)]

COUNTRY = Path("agreements")
SYSTEM_SCHEMAS = {
    topics.DECISIONS: BLOCK_SCHEMA,
    topics.QUARANTINE: QUARANTINE_SCHEMA,
    topics.RELEASES: RELEASE_SCHEMA,
    "notices": NOTICE_SCHEMA,
}


def cluster_of(path: Path | None) -> Cluster:
    """The cluster that `--cluster`, the environment or the default names. Raises BadInput or Fatal."""
    return Cluster.load(path or default_cluster_file())


@contextmanager
def planner(cluster_file: Path | None, country: Path, catalogue: Path | None) -> Iterator[Planner]:
    """A planner of the country's files for a cluster, as its administrator. Raises BadInput, Fatal, Retriable."""
    from tidings.agreements import load_country
    from tidings.catalogue import default_catalogue_dir, load_catalogue
    from tidings.kafka.admin import Admin
    from tidings.kafka.client_quotas import ClientQuotas
    from tidings.kafka.hands import BrokerHands
    from tidings.kafka.registry import Registry
    from tidings.kafka.strimzi_hands import StrimziHands
    from tidings.keys import KeyRing

    event_types = load_catalogue(catalogue or default_catalogue_dir())
    agreements = load_country(country, event_types)
    cluster = cluster_of(cluster_file)
    clock = SystemClock()
    with Registry(cluster) as registry:
        kind = StrimziHands if cluster.provisioned_by == STRIMZI else BrokerHands
        hands = kind(cluster, Admin(cluster), registry, ClientQuotas(cluster), clock)
        keys = KeyRing.from_file(cluster.keys_file)
        yield Planner(agreements, event_types, keys, hands, SYSTEM_SCHEMAS, clock, _processor_needs)


def processor_access(policy: Policy) -> frozenset[Acl]:
    """The access rules that the derived processors declare under `policy`. Raises Fatal where one cannot be loaded."""
    return frozenset[Acl]().union(*(each.access() for each in _processor_needs(policy)))


def _processor_needs(policy: Policy) -> list[ProcessorNeeds]:
    from stream_processors.host.discover import load_processors
    from stream_processors.host.needs import needs_of

    return [needs_of(each, policy) for each in load_processors()]
