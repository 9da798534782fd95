"""The order of an apply, and that it can be broken off anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.tidings.provisioning.test_changes import desired, reached
from tidings.acl import Acl, Operation, Resource
from tidings.errors import Retriable
from tidings.provisioning.carry_out import carry_out
from tidings.provisioning.changes import Kind, changes_between
from tidings.provisioning.state import Actual


@dataclass
class Recorder:
    """Hands that write down what they are asked for, and fail after `fails_after` calls."""

    fails_after: int = 99
    calls: list[tuple[str, object]] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        def call(argument: object) -> None:
            if len(self.calls) == self.fails_after:
                raise Retriable("the broker is away")
            self.calls.append((name, argument))

        return call


def test_narrowing_comes_first_and_one_call_a_kind() -> None:
    """Access is taken away before anything is made, and given after topics and schemas are there."""
    extra = Acl("dwp", Operation.READ, Resource.TOPIC, "inbox.gro.death-registered")
    hands, lines = Recorder(), []
    changes = changes_between(desired(), Actual(access=frozenset({extra})))

    carry_out(changes, desired(), hands, lines.append)  # type: ignore[arg-type]  # it answers to every name

    assert [name for name, _ in hands.calls] == [
        "remove_access", "make_principals", "make_topics", "register", "add_access", "set_quotas", "start_inboxes",
    ]  # fmt: skip
    assert hands.calls[0] == ("remove_access", [extra])
    assert lines[0] == "access removed (1)"


def test_settings_are_set_once_a_topic() -> None:
    """Two settings of one topic are one call, with the whole plan."""
    there = reached(desired())
    bare = {name: type(topic)(topic.partitions, {}) for name, topic in there.topics.items()}
    hands = Recorder()

    carry_out(
        changes_between(desired(), Actual(**{**_fields(there), "topics": bare})),
        desired(),
        hands,  # type: ignore[arg-type]  # it answers to every name
        lambda _line: None,
    )

    assert {name for name, _ in hands.calls} == {"set_topic"}
    assert len(hands.calls) == len(bare)


@pytest.mark.parametrize("fails_after", range(6))
def test_it_stops_at_the_first_failure(fails_after: int) -> None:
    """What comes after a failed step is not tried: no access without topic and schema."""
    hands = Recorder(fails_after)

    with pytest.raises(Retriable):
        carry_out(
            changes_between(desired(), Actual()),
            desired(),
            hands,  # type: ignore[arg-type]  # it answers to every name
            lambda _line: None,
        )

    assert len(hands.calls) == fails_after


def test_the_policy_is_left_to_the_caller() -> None:
    """A change of the policy alone asks the hands for nothing: its ids are known only now."""
    hands = Recorder()
    changes = changes_between(desired(), Actual(**{**_fields(reached(desired())), "policy": None}))

    assert [change.kind for change in changes] == [Kind.POLICY]
    carry_out(changes, desired(), hands, lambda _line: None)  # type: ignore[arg-type]  # it answers to every name
    assert hands.calls == []


def _fields(actual: Actual) -> dict[str, object]:
    return {name: getattr(actual, name) for name in Actual.__slots__}
