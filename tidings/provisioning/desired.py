"""What the files say that there should be: a policy, its country and its catalogue, turned into things on a broker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from tidings import topics
from tidings.agreements import Agency, Country
from tidings.agreements.country import key_of
from tidings.catalogue import Catalogue
from tidings.errors import BadInput, Problem
from tidings.policy.model import Policy
from tidings.provisioning.access import access_of, own_principals
from tidings.provisioning.processors import ProcessorNeeds, is_processor
from tidings.provisioning.state import Desired, QuotaValues, Schema
from tidings.provisioning.topic_plan import topics_of


def subject_of(topic: str) -> str:
    """The registry subject of a topic's values. Source: Confluent documentation, "TopicNameStrategy"."""
    return f"{topic}-value"


def desired_state(
    policy: Policy,
    country: Country,
    catalogue: Catalogue,
    system_schemas: Mapping[str, Schema],
    today: date,
    deployment: str,
    processors: Sequence[ProcessorNeeds] = (),
) -> Desired:
    """Everything that `policy` needs, on a UTC day.

    `system_schemas` maps system topics (and `notices`, for every publisher's) to the Avro schema of their values.
    Raises BadInput where an agency has an id that only a processor may have.
    """
    taken = [name for name in country.agencies if is_processor(name)]
    if taken:
        raise BadInput([Problem("agencies.yaml", 0, each, "agency-id", "begins as a processor's") for each in taken])
    event_types = catalogue.event_types
    retention = {key_of(each): each.retention_days for each in country.agreements}
    agencies = tuple(sorted(country.agencies))
    return Desired(
        policy=policy,
        topics=(
            *topics_of(policy, {name: each.retention_days for name, each in event_types.items()}, retention),
            *(plan for each in processors for plan in each.plans),
        ),
        access=access_of(policy, agencies, today, deployment).union(*(each.access() for each in processors)),
        schemas=_schemas(policy, catalogue, system_schemas)
        | {subject_of(topic): (schema,) for each in processors for topic, schema in each.schemas},
        quotas={name: _quota(agency) for name, agency in country.agencies.items()},
        principals=own_principals(policy).union(agencies, (each.principal for each in processors)),
    )


def _schemas(
    policy: Policy, catalogue: Catalogue, system_schemas: Mapping[str, Schema]
) -> dict[str, tuple[Schema, ...]]:
    found = {subject_of(inbox.topic): catalogue.event_types[inbox.event_type].versions for inbox in policy.inboxes}
    found |= {subject_of(view.feed): (view.view_schema,) for view in policy.views}
    releases = any(view.hold_seconds is not None for view in policy.views)
    for topic, schema in system_schemas.items():
        if topic == topics.RELEASES and not releases:
            continue
        if topic != "notices":
            found[subject_of(topic)] = (schema,)
            continue
        for agency in {inbox.agency for inbox in policy.inboxes}:
            found[subject_of(topics.notices(agency))] = (schema,)
    return found


def _quota(agency: Agency) -> QuotaValues:
    quota = {
        "producer_byte_rate": agency.quotas.produce_bytes_per_second,
        "consumer_byte_rate": agency.quotas.consume_bytes_per_second,
    }
    if agency.quotas.request_percentage is not None:
        quota["request_percentage"] = agency.quotas.request_percentage
    return quota
