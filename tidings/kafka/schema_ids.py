"""Which schema id an inbox takes: the newest version of its subject, read with the publisher's own credentials."""

from __future__ import annotations

import ssl

import httpx

from tidings import topics
from tidings.errors import Fatal, Retriable
from tidings.kafka.cluster import Cluster
from tidings.kafka.registry import registry_api

_TIMEOUT_SECONDS = 15.0


class NoInbox(Fatal):
    """The registry has no schema for an inbox: `tidings apply` has not made it."""


def inbox_schema_id(cluster: Cluster, agency: str, event_type: str) -> int:
    """The id of the newest version under `inbox.<agency>.<event-type>-value`.

    Raises Retriable where the registry does not answer, NoInbox where it has no such subject, Fatal where it
    refuses.
    """
    subject = f"{topics.inbox(agency, event_type)}-value"
    try:
        answer = httpx.get(
            f"{registry_api(cluster)}/subjects/{subject}/versions/latest",
            auth=(agency, cluster.password(agency)),
            verify=ssl.create_default_context(cafile=str(cluster.ca_file)),
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        raise Retriable(f"the registry does not answer: {type(error).__name__}") from None
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise NoInbox(f"the registry has no subject {subject}: was `tidings apply` run?")
    if answer.is_server_error:
        raise Retriable(f"the registry answers {answer.status_code}")
    if not answer.is_success:
        raise Fatal(f"the registry answers {answer.status_code} to {agency} for {subject}")
    return int(answer.json()["id"])
