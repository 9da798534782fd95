"""What the files say that there should be, without asking anybody: for manifests and pages, not for a policy.

Schemas have no ids yet, and nothing is stopped; neither changes which topics, principals and quotas there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tidings.agreements import Country
from tidings.catalogue import Catalogue
from tidings.clock import Clock, utc_date
from tidings.keys import ROOT_BYTES, KeyRing
from tidings.policy.compile import compile_policy
from tidings.policy.model import Environment, Policy
from tidings.provisioning.desired import desired_state
from tidings.provisioning.planning import UNREGISTERED
from tidings.provisioning.processors import ProcessorNeeds
from tidings.provisioning.state import Desired, Schema


def unnumbered_state(
    catalogue: Catalogue,
    country: Country,
    system_schemas: Mapping[str, Schema],
    environment: Environment,
    clock: Clock,
    processors: Callable[[Policy], Sequence[ProcessorNeeds]] = lambda _policy: (),
    deployment: str = "main",
) -> Desired:
    """See `desired_state`; on the clock's day. `processors` is as `Planner` takes it.

    Raises BadInput where the files cannot be compiled.
    """
    policy = compile_policy(
        catalogue,
        country,
        lambda _topic, _schema: UNREGISTERED,
        version=1,
        environment=environment,
        now_ms=clock.now_ms(),
        keys=KeyRing(bytes(ROOT_BYTES)),  # no key is in what is asked for
    )
    today = utc_date(clock.now_ms())
    return desired_state(policy, country, catalogue, system_schemas, today, deployment, processors(policy))
