"""Compile the catalogue and a country's agreements into a policy. Pure: the same input gives the same policy.

In the policy are the approved agreements, those not yet valid and those stopped included (a view says when it is valid
and whether it is stopped), but for those that are over and send nothing more. What is not approved is not in it at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from tidings import topics
from tidings.agreements.approve import agreement_hash, approval_state
from tidings.agreements.compiled import CompiledTerms, compiled_terms
from tidings.agreements.country import Country, key_of
from tidings.agreements.interest import is_feed_key
from tidings.agreements.model import Agreement
from tidings.catalogue import Catalogue, EventType
from tidings.clock import utc_date
from tidings.errors import BadInput, Problem
from tidings.hold import hold_seconds
from tidings.keys import KeyRing
from tidings.policy.codec import sealed
from tidings.policy.model import Environment, Inbox, JsonObject, Policy, View
from tidings.projection.ids import feed_key

SchemaIds = Callable[[str, JsonObject], int]
"""The registry's id of a schema under a topic's name."""


@dataclass(frozen=True, slots=True)
class Stops:
    """What an operator has stopped: agreements and publishers by name, or all."""

    agreements: frozenset[str] = frozenset()
    publishers: frozenset[str] = frozenset()
    all: bool = False

    def agreement(self, name: str) -> bool:
        """Whether an agreement is stopped."""
        return self.all or name in self.agreements

    def publisher(self, name: str) -> bool:
        """Whether a publisher is stopped."""
        return self.all or name in self.publishers


def compile_policy(
    catalogue: Catalogue,
    country: Country,
    schema_ids: SchemaIds,
    *,
    version: int,
    environment: Environment,
    now_ms: int,
    stops: Stops | None = None,
    keys: KeyRing | None = None,
) -> Policy:
    """The sealed policy.

    Args:
        schema_ids: gives the registry's id for (topic, schema): every version of an inbox, and each feed's view.
        now_ms: the clock; an agreement that is over by its UTC day and sends nothing more is left out.
        stops: what is stopped (nothing, where None).
        keys: makes feed keys of an interest list's clear ids; not needed where a list holds feed keys only.

    Raises:
        BadInput: with every agreement that cannot be compiled, by file and line.
    """
    stops = stops or Stops()
    today = utc_date(now_ms)
    problems: list[Problem] = []
    views: list[View] = []
    for agreement in country.agreements:
        try:
            if in_policy(agreement, catalogue, today):
                interest = _interest(agreement, country, environment, keys)
                views += _views(agreement, catalogue, schema_ids, interest, stops)
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(sorted(set(problems)))
    inboxes = tuple(
        _inbox(event_type, schema_ids, stops)
        for event_type in catalogue.event_types.values()
        if event_type.owner in country.agencies
    )
    return sealed(
        Policy(
            version=version,
            environment=environment,
            created_at_ms=now_ms,
            inboxes=tuple(sorted(inboxes, key=lambda inbox: inbox.topic)),
            views=tuple(sorted(views, key=lambda view: view.feed)),
        )
    )


def in_policy(agreement: Agreement, catalogue: Catalogue, today: date) -> bool:
    """Whether an agreement belongs in a policy made on a UTC day: approved by both sides, and not over for good."""
    over = today > agreement.valid.until and agreement.valid.after_end == "nothing"
    return not over and approval_state(agreement, agreement_hash(agreement, catalogue)).approved


def _inbox(event_type: EventType, schema_ids: SchemaIds, stops: Stops) -> Inbox:
    topic = topics.inbox(event_type.owner, event_type.name)
    return Inbox(
        topic=topic,
        agency=event_type.owner,
        event_type=event_type.name,
        partitions=event_type.partitions,
        reader_schema=event_type.schema,
        writer_schemas={str(schema_ids(topic, schema)): schema for schema in event_type.versions},
        checks=event_type.checks,
        deduplication_window_events=event_type.deduplication_window_events,
        stopped=stops.publisher(event_type.owner),
    )


def _views(
    agreement: Agreement, catalogue: Catalogue, schema_ids: SchemaIds, interest: tuple[str, ...] | None, stops: Stops
) -> list[View]:
    return [
        _view(agreement, catalogue.event_types[name], terms, schema_ids, interest, stops)
        for name, terms in compiled_terms(agreement, catalogue).items()
    ]


def _view(
    agreement: Agreement,
    event_type: EventType,
    terms: CompiledTerms,
    schema_ids: SchemaIds,
    interest: tuple[str, ...] | None,
    stops: Stops,
) -> View:
    feed = topics.feed(agreement.subscriber, agreement.agreement, agreement.version, event_type.name)
    return View(
        agreement=agreement.agreement,
        agreement_version=agreement.version,
        subscriber=agreement.subscriber,
        inbox=topics.inbox(event_type.owner, event_type.name),
        event_type=event_type.name,
        feed=feed,
        schema_id=schema_ids(feed, terms.view_schema),
        view_schema=terms.view_schema,
        fields=terms.fields,
        where=terms.where,
        key_group=agreement.key_group,
        protected=agreement.protected,
        interest=interest,
        valid_from=agreement.valid.from_,
        valid_until=agreement.valid.until,
        after_end=agreement.valid.after_end,
        include_flags=agreement.flags == "include",
        stopped=stops.agreement(agreement.agreement),
        hold_seconds=hold_seconds(agreement.hold) if agreement.hold else None,
    )


def _interest(
    agreement: Agreement, country: Country, environment: Environment, keys: KeyRing | None
) -> tuple[str, ...] | None:
    if agreement.subjects.interest_list is None:
        return None
    lines = country.interests[key_of(agreement)]
    clear = [line for line in lines if not is_feed_key(line)]
    made: list[str] = []
    if clear and (keys is None or environment is Environment.LIVE):
        raise BadInput(
            [
                country.problem(
                    agreement,
                    ("subjects", "interest_list"),
                    "interest-list-clear",
                    f"holds {len(clear)} clear ids: they need the exchange's keys, and a live exchange takes none",
                )
            ]
        )
    if keys is not None:
        made = [feed_key(keys, agreement.key_group, _subject(line)).decode() for line in clear]
    return tuple(sorted({*made, *(line for line in lines if is_feed_key(line))}))


def _subject(line: str) -> tuple[str, str]:
    scheme, _, value = line.partition(":")
    return scheme, value
