"""How a plan comes about: what is asked once, and the registry's ids in the policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.tidings.agreements.kit import catalogue, load, write
from tests.tidings.provisioning.kit import inbox, policy, view
from tidings.clock import StillClock
from tidings.errors import Fatal
from tidings.keys import KeyRing
from tidings.policy.codec import policy_hash
from tidings.policy.model import Environment
from tidings.provisioning import planning
from tidings.provisioning.planning import UNREGISTERED, Planner, SchemaIds, numbered
from tidings.provisioning.state import Actual, Desired, Left, Schema

OLD, NEW, SYSTEM = ({"type": "record", "name": name, "fields": []} for name in ("Old", "New", "System"))


class Empty:
    """A site on which nothing is yet, and whose registry knows `ids`; notes what it is asked."""

    environment = Environment.SYNTHETIC
    deployment = "main"

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.registered = False

    def policy(self) -> Left:
        """No policy, and as damaged as none can be."""
        self.asked["policy"] += 1
        return Left(None, "damaged")

    def schema_ids(self, wanted: Mapping[str, Sequence[Schema]]) -> SchemaIds:
        """Every version, once they are registered."""
        self.asked["schema_ids"] += 1
        every = [(subject, number) for subject, versions in wanted.items() for number in range(len(versions))]
        return {each: 7 + at for at, each in enumerate(every)} if self.registered else {}

    def look(self, desired: Desired, left: Left, ids: SchemaIds) -> Actual:
        """Nothing, but for what was asked before."""
        del desired, ids
        self.asked["look"] += 1
        return Actual(policy=left.policy, damaged=left.damaged)


def test_a_plan_compiles_and_asks_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy is read once and compiled once; ids that come with the apply are put into what was compiled."""
    compiled: Counter[str] = Counter()

    def counted(*arguments: Any, **options: Any) -> Any:
        compiled["policy"] += 1
        return compile_policy(*arguments, **options)

    compile_policy = planning.compile_policy
    monkeypatch.setattr(planning, "compile_policy", counted)
    write(tmp_path)
    site: Any = Empty()
    planner = Planner(load(tmp_path), catalogue(), KeyRing(bytes(32)), site, {"quarantine": SYSTEM}, StillClock())

    plan = planner.plan()
    with pytest.raises(Fatal, match=r"the registry does not know the schemas of .*quarantine"):
        planner.policy_with_ids(plan)
    site.registered = True
    made = planner.policy_with_ids(plan)

    assert compiled == {"policy": 1}
    assert site.asked == {"policy": 1, "look": 1, "schema_ids": 3}
    assert (plan.in_force, plan.actual.damaged) == (None, "damaged")
    assert made.system_schema_ids["quarantine"] > UNREGISTERED
    assert made.hash == policy_hash(made) != plan.desired.policy.hash


def test_every_schema_has_the_registrys_id() -> None:
    """Each version of an inbox, oldest first, each view and each system topic; the policy is sealed anew."""
    mine, seen = inbox(), view()
    schemas = {f"{mine.topic}-value": (OLD, NEW), f"{seen.feed}-value": (NEW,), "quarantine-value": (SYSTEM,)}
    desired = Desired(policy(mine, seen), (), frozenset(), schemas, {}, frozenset())

    made = numbered(desired, {(f"{mine.topic}-value", 0): 4, (f"{mine.topic}-value", 1): 9, ("quarantine-value", 0): 5})

    assert [(each, schema["name"]) for each, schema in made.inboxes[0].writer_schemas.items()] == [
        ("4", "Old"),
        ("9", "New"),
    ]
    assert (made.views[0].schema_id, made.system_schema_ids) == (UNREGISTERED, {"quarantine": 5})
    assert made.hash == policy_hash(made)
