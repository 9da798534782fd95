"""A plan: the files, what they compile to, what there is, and the changes between the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from tidings.agreements import Country
from tidings.catalogue import Catalogue
from tidings.clock import Clock, utc_date
from tidings.errors import BadInput, Fatal, Problem
from tidings.keys import KeyRing
from tidings.policy.codec import sealed
from tidings.policy.compile import compile_policy
from tidings.policy.model import Environment, Inbox, Policy
from tidings.provisioning.approvals import Pending, pending_approvals
from tidings.provisioning.carry_out import Hands
from tidings.provisioning.changes import Change, Incompatible, changes_between
from tidings.provisioning.desired import desired_state, subject_of
from tidings.provisioning.processors import ProcessorNeeds
from tidings.provisioning.state import Actual, Desired, Left, Schema
from tidings.provisioning.stops import stops_of, texts_of

UNREGISTERED = 0
SchemaIds = Mapping[tuple[str, int], int]
"""The registry's id of a subject's version (numbered from 0, oldest first), where it is registered."""


class Site(Hands, Protocol):
    """Where a plan is made and carried out. Each call may raise Retriable where a broker or registry is away."""

    @property
    def environment(self) -> Environment:
        """Whether it takes real events or made-up ones."""
        ...

    @property
    def deployment(self) -> str:
        """The deployment's id."""
        ...

    def policy(self) -> Left:
        """The policy in force, or what is left of it where it is damaged."""
        ...

    def schema_ids(self, wanted: Mapping[str, Sequence[Schema]]) -> SchemaIds:
        """The ids of those versions of each subject that are registered."""
        ...

    def look(self, desired: Desired, left: Left, ids: SchemaIds) -> Actual:
        """What there is of what `desired` names, beside what `policy` and `schema_ids` have said."""
        ...

    def publish(self, policy: Policy) -> None:
        """Publish a policy: workers take it up between two batches. Raises Fatal where a newer one is there."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that `tidings plan` prints and `tidings apply` carries out."""

    country: Country
    catalogue: Catalogue
    in_force: Policy | None
    desired: Desired
    actual: Actual
    changes: tuple[Change, ...]
    pending: tuple[Pending, ...]


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes plans for one site out of one country's files. `system_schemas` is as `desired_state` takes it;
    `processors` says what the derived processors need where a policy is in force."""

    country: Country
    catalogue: Catalogue
    keys: KeyRing
    hands: Site
    system_schemas: Mapping[str, Schema]
    clock: Clock
    processors: Callable[[Policy], Sequence[ProcessorNeeds]] = field(default=lambda _policy: ())

    def plan(self) -> Plan:
        """The changes that are due now; changes nothing.

        Raises BadInput where the files cannot be applied, Retriable where something does not answer.
        """
        left = self.hands.policy()
        in_force = left.policy
        pending = pending_approvals(self.country, self.catalogue, in_force)
        unnumbered = self._desired(self._compile(in_force))
        ids = self.hands.schema_ids(unnumbered.schemas)
        desired = replace(unnumbered, policy=numbered(unnumbered, ids))
        actual = self.hands.look(desired, left, ids)
        try:
            changes = changes_between(desired, actual)
        except Incompatible as error:
            raise BadInput([Problem("agreements", 0, "", "partitions-fixed", str(error))]) from None
        return Plan(self.country, self.catalogue, in_force, desired, actual, changes, pending)

    def policy_with_ids(self, plan: Plan) -> Policy:
        """The policy of `plan` once its schemas are registered: the same, with their ids.

        Raises Fatal where one of them still has none: no worker could read or write it.
        """
        policy = numbered(plan.desired, self.hands.schema_ids(plan.desired.schemas))
        without = [view.feed for view in policy.views if view.schema_id == UNREGISTERED]
        without += [inbox.topic for inbox in policy.inboxes if str(UNREGISTERED) in inbox.writer_schemas]
        without += [name for name, schema_id in policy.system_schema_ids.items() if schema_id == UNREGISTERED]
        if without:
            raise Fatal(f"the registry does not know the schemas of {', '.join(sorted(without))}")
        return policy

    def _compile(self, in_force: Policy | None) -> Policy:
        """What the files say, with no ids of the registry yet."""
        stops = stops_of(in_force)
        policy = compile_policy(
            self.catalogue,
            self.country,
            lambda _topic, _schema: UNREGISTERED,
            version=in_force.version + 1 if in_force else 1,
            environment=self.hands.environment,
            now_ms=self.clock.now_ms(),
            stops=stops,
            keys=self.keys,
        )
        return policy.model_copy(update={"stops": texts_of(stops)})

    def _desired(self, policy: Policy) -> Desired:
        today = utc_date(self.clock.now_ms())
        needs = self.processors(policy)
        return desired_state(
            policy, self.country, self.catalogue, self.system_schemas, today, self.hands.deployment, needs
        )


def numbered(desired: Desired, ids: SchemaIds) -> Policy:
    """The policy of `desired`, sealed, with `ids` of its schemas; UNREGISTERED where one has none."""

    def ids_of(subject: str) -> list[int]:
        return [ids.get((subject, number), UNREGISTERED) for number in range(len(desired.schemas[subject]))]

    def inbox(each: Inbox) -> Inbox:
        subject = subject_of(each.topic)
        versions = zip(map(str, ids_of(subject)), desired.schemas[subject], strict=True)
        return each.model_copy(update={"writer_schemas": dict(versions)})

    policy = desired.policy
    system = {
        subject.removesuffix("-value"): ids_of(subject)[-1]
        for subject in desired.schemas
        if not subject.startswith(("inbox.", "feed."))
    }
    views = (each.model_copy(update={"schema_id": ids_of(subject_of(each.feed))[-1]}) for each in policy.views)
    parts = {"inboxes": tuple(map(inbox, policy.inboxes)), "views": tuple(views), "system_schema_ids": system}
    return sealed(policy.model_copy(update=parts))
