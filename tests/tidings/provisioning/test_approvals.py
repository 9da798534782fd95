"""Agreements that are left out, and those that hold an apply up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tidings.agreements.kit import AGREEMENT, catalogue, load, spoil, write
from tests.tidings.provisioning.kit import inbox, policy, view
from tidings.errors import BadInput
from tidings.provisioning.approvals import pending_approvals
from tidings.provisioning.breaking import refuse_breaking

RUNNING = view(agreement="bereavement-benefits", agreement_version=3)


def test_an_unapproved_agreement_is_named_with_its_sides(tmp_path: Path) -> None:
    """Who approved another text, and who has not approved at all."""
    write(tmp_path)

    [pending] = pending_approvals(load(tmp_path), catalogue(), None)

    assert str(pending) == "bereavement-benefits v3: gro approved another text, dwp has not approved"


def test_one_that_is_in_force_holds_the_apply_up(tmp_path: Path) -> None:
    """Neither the old text nor the end of the feed is ours to choose; file, line and field are named."""
    write(tmp_path)

    with pytest.raises(BadInput, match="approve it again on both sides") as raised:
        pending_approvals(load(tmp_path), catalogue(), policy(inbox(), RUNNING))

    [problem] = raised.value.problems
    assert (problem.field, problem.rule) == ("approvals", "changed-in-force")
    assert problem.line > 0


def test_a_stopped_one_does_not(tmp_path: Path) -> None:
    """Stop it first, says the message: then it may change."""
    write(tmp_path)

    assert pending_approvals(load(tmp_path), catalogue(), policy(inbox(), RUNNING.model_copy(update={"stopped": True})))


def test_a_new_version_of_one_in_force_does_not(tmp_path: Path) -> None:
    """Version 4 waits for its approvals while version 3 goes on."""
    write(tmp_path, spoil("version: 3", "version: 4"))

    assert len(pending_approvals(load(tmp_path), catalogue(), policy(inbox(), RUNNING))) == 1


def test_a_change_that_breaks_readers_is_refused_at_its_line(tmp_path: Path) -> None:
    """A field of another type in the same feed: the agreement, its event and the field are named."""
    write(tmp_path, AGREEMENT)
    old, new = (
        RUNNING.model_copy(
            update={
                "view_schema": {
                    "type": "record",
                    "name": "V3",
                    "fields": [{"name": "a", "type": ["null", kind], "default": None}],
                }
            }
        )
        for kind in ("int", "string")
    )

    with pytest.raises(BadInput, match=r"a.*: .*raise the agreement's version.*\[breaks-readers\]") as raised:
        refuse_breaking(load(tmp_path), policy(inbox(), old), policy(inbox(), new))

    assert raised.value.problems[0].line > 0
    refuse_breaking(load(tmp_path), policy(inbox(), old), policy(inbox(), old))
    refuse_breaking(load(tmp_path), None, policy(inbox(), new))


def test_a_hold_begins_and_ends_with_a_new_version(tmp_path: Path) -> None:
    """Two writers would number one feed; a longer or shorter hold is no such thing."""
    write(tmp_path, AGREEMENT)
    held = RUNNING.model_copy(update={"hold_seconds": 60})
    for old, new in ((RUNNING, held), (held, RUNNING)):
        with pytest.raises(BadInput, match=r"hold: .*raise the agreement's version.*\[hold-begins-or-ends\]"):
            refuse_breaking(load(tmp_path), policy(inbox(), old), policy(inbox(), new))

    refuse_breaking(
        load(tmp_path), policy(inbox(), held), policy(inbox(), held.model_copy(update={"hold_seconds": 120}))
    )
