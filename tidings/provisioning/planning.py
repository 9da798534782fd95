"""A plan: the files, what they compile to, what there is, and the changes between the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tidings.agreements import Country
from tidings.catalogue import Catalogue
from tidings.clock import Clock, utc_date
from tidings.errors import BadInput, Fatal, Problem
from tidings.keys import KeyRing
from tidings.policy.canonical import canonical_json
from tidings.policy.codec import sealed
from tidings.policy.compile import compile_policy
from tidings.policy.model import Environment, JsonObject, Policy
from tidings.provisioning.approvals import Pending, pending_approvals
from tidings.provisioning.carry_out import Hands
from tidings.provisioning.changes import Change, Incompatible, changes_between
from tidings.provisioning.desired import desired_state, subject_of
from tidings.provisioning.processors import ProcessorNeeds
from tidings.provisioning.state import Actual, Desired, Schema
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

    def policy(self) -> Policy | None:
        """The policy in force, what is left of it where it is damaged, or None where none was ever published."""
        ...

    def schema_ids(self, wanted: Mapping[str, Sequence[Schema]]) -> SchemaIds:
        """The ids of those versions of each subject that are registered."""
        ...

    def look(self, desired: Desired, policy: Policy | None, ids: SchemaIds) -> Actual:
        """What there is of what `desired` names."""
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
        in_force = self.hands.policy()
        pending = pending_approvals(self.country, self.catalogue, in_force)
        version = in_force.version + 1 if in_force else 1
        desired, ids = self._numbered(version, in_force)
        actual = self.hands.look(desired, in_force, ids)
        try:
            changes = changes_between(desired, actual)
        except Incompatible as error:
            raise BadInput([Problem("agreements", 0, "", "partitions-fixed", str(error))]) from None
        return Plan(self.country, self.catalogue, in_force, desired, actual, changes, pending)

    def policy_with_ids(self, plan: Plan) -> Policy:
        """The policy of `plan` once its schemas are registered: the same, with their ids.

        Raises Fatal where one of them still has none: no worker could read or write it.
        """
        policy = self._numbered(plan.desired.policy.version, plan.in_force)[0].policy
        without = [view.feed for view in policy.views if view.schema_id == UNREGISTERED]
        without += [inbox.topic for inbox in policy.inboxes if str(UNREGISTERED) in inbox.writer_schemas]
        without += [name for name, schema_id in policy.system_schema_ids.items() if schema_id == UNREGISTERED]
        if without:
            raise Fatal(f"the registry does not know the schemas of {', '.join(sorted(without))}")
        return policy

    def _numbered(self, version: int, in_force: Policy | None) -> tuple[Desired, SchemaIds]:
        """What the files say, with the registry's ids as far as it knows the schemas, and these ids."""
        unnumbered = self._desired(self._compile(version, in_force, {}))
        ids = self.hands.schema_ids(unnumbered.schemas)
        return self._desired(self._compile(version, in_force, _by_schema(unnumbered, ids))), ids

    def _compile(self, version: int, in_force: Policy | None, ids: Mapping[tuple[str, bytes], int]) -> Policy:
        def schema_id(topic: str, schema: JsonObject) -> int:
            return ids.get((subject_of(topic), canonical_json(schema)), UNREGISTERED)

        stops = stops_of(in_force)
        policy = compile_policy(
            self.catalogue,
            self.country,
            schema_id,
            version=version,
            environment=self.hands.environment,
            now_ms=self.clock.now_ms(),
            stops=stops,
            keys=self.keys,
        )
        system = self._desired(policy).schemas
        named = {
            subject.removesuffix("-value"): ids.get((subject, canonical_json(versions[-1])), UNREGISTERED)
            for subject, versions in system.items()
            if not subject.startswith(("inbox.", "feed."))
        }
        return sealed(policy.model_copy(update={"system_schema_ids": named, "stops": texts_of(stops)}))

    def _desired(self, policy: Policy) -> Desired:
        today = utc_date(self.clock.now_ms())
        needs = self.processors(policy)
        return desired_state(
            policy, self.country, self.catalogue, self.system_schemas, today, self.hands.deployment, needs
        )


def _by_schema(desired: Desired, ids: Mapping[tuple[str, int], int]) -> dict[tuple[str, bytes], int]:
    return {
        (subject, canonical_json(desired.schemas[subject][number])): schema_id
        for (subject, number), schema_id in ids.items()
    }
