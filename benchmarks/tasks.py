"""What a contender is told about a site: the same for all, whatever they make of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.broker import ADMIN, PLAIN
from benchmarks.contender import Contender
from benchmarks.expected import Expected
from benchmarks.site import Site
from benchmarks.task import Task, ViewTask
from tidings.deployment import group_name
from tidings.keys import KeyRing
from tidings.policy.model import View

_PURPOSES = {"pseudonym": 32, "record-id": 32, "event-id": 16, "life-event-id": 16}


def task_for(
    contender: Contender,
    made: Site,
    deployment: str,
    expected: Sequence[Expected],
    state: Path,
    *,
    transport: str = PLAIN,
    latency: bool = False,
    slot: int = 0,
    shared_max_events: int = 0,
) -> Task:
    """The task of one worker. Keys and, with TLS, a password are in it: it is only ever written to a private file."""
    cluster = made.broker.cluster(transport, deployment)
    clients = {name: value for name, value in cluster.client_config(ADMIN).items() if isinstance(value, str)}
    return Task(
        contender=contender.name,
        group=group_name(deployment),
        deployment=deployment,
        transport=transport,
        cluster_file=str(made.broker.files[transport]),
        clients=clients,
        inbox=made.inbox.topic,
        event_schema=made.inbox.reader_schema,
        views=tuple(view_task(view, made.keys, each) for view, each in zip(made.views, expected, strict=True)),
        key_version=made.keys.version,
        policy_version=made.policy.version,
        state=str(state),
        latency=latency,
        slot=slot,
        shared_max_events=shared_max_events,
    )


def view_task(view: View, keys: KeyRing, expected: Expected) -> ViewTask:
    """What a contender is told of one view."""
    derived = {
        purpose: keys.derive("group", view.key_group, purpose, length=length).hex()
        for purpose, length in _PURPOSES.items()
    }
    return ViewTask(
        agreement=view.agreement,
        feed=view.feed,
        schema_id=view.schema_id,
        schema=view.view_schema,
        keys=derived,
        key_size=expected.key_size,
        value_size=expected.value_size,
    )
