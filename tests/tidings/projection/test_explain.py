"""What is said of an agreement's program is what the executors do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.agreements.test_example_country import policy
from tests.tidings.projection import local
from tidings.masks import MASKS
from tidings.policy.model import CheckRule, Protection
from tidings.projection import explain, generated_projector
from tidings.projection.costs import CLASSES, cost_of
from tidings.projection.explain import InboxExplained, OpExplained, explain_inbox
from tidings.projection.heads import HEAD_DEFAULTS
from tidings.projection.native import NativeInbox, native_inbox, native_version
from tidings.projection.program import Op, inbox_program

needs_native = pytest.mark.skipif(native_version() is None, reason="the native extension is not built")
NOW_MS = 1_780_315_200_000


def explained(schema: dict[str, Any], *views: Any, checks: tuple[CheckRule, ...] = ()) -> InboxExplained:
    """The explanation of `schema`'s inbox with all of `views`."""
    inbox = local.inbox(schema).model_copy(update={"checks": checks})
    return explain_inbox(inbox, views, [view.feed for view in views], local.KEYS, "SYNTHETIC", 3)


@pytest.mark.parametrize("inbox", policy().inboxes, ids=lambda inbox: inbox.event_type)
def test_every_view_of_the_example_country_is_told_whole(inbox: Any) -> None:
    """Each operation of the program once, in the order of the view's bytes, with a cost of the list."""
    mine = [view for view in policy().views if view.inbox == inbox.topic]
    made = explain_inbox(inbox, policy().views, [view.feed for view in mine], local.KEYS, "SYNTHETIC", 1)
    programs = inbox_program(inbox, mine, "SYNTHETIC", 1).views

    assert [view.feed for view in made.views] == [program.feed for program in programs]
    for view, program in zip(made.views, programs, strict=True):
        assert _told(view.head + view.body) == _run(program.ops)
        assert [op.path for op in view.head if op.path.partition(".")[0] not in HEAD_DEFAULTS] == []


def test_every_mask_and_derivation_has_a_cost() -> None:
    """A mask that is added is given a class, or is shown without one by this test."""
    derived = {*HEAD_DEFAULTS.values(), "record"}

    assert [name for name in {*MASKS, *derived} if cost_of(name) not in CLASSES] == []
    assert cost_of("pseudonym", "uuid") == "block"
    assert cost_of("of nobody's making") == ""


def test_who_runs_it_where_the_extension_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generated Python, and it is said why; of a stopped publisher too."""
    monkeypatch.setattr(explain, "native_version", lambda: None)
    schema = local.schema_of()
    view = local.view(schema, {"person.residence": "keep"}, protected=Protection.WITHOUT_LOCATION)
    [made] = explained(schema, view).views

    assert (made.executor, made.why) == ("python", explain.NOT_BUILT)
    assert [line for line in made.deferred if line.startswith("events of protected people")]


@needs_native
def test_the_stopped_publisher_goes_to_python() -> None:
    """As the exchange does it."""
    schema = local.schema_of()
    view = local.view(schema, {})
    inbox = local.inbox(schema).model_copy(update={"stopped": True})
    [made] = explain_inbox(inbox, [view], [view.feed], local.KEYS, "SYNTHETIC", 3).views

    assert (made.executor, made.why) == ("python", explain.STOPPED)


@needs_native
def test_a_check_that_is_not_proven_is_named() -> None:
    """By the executor itself: where it proves nothing every event is left over, and so it is said."""
    schema = local.schema_of()
    view = local.view(schema, {"note": "keep"})
    checks = (
        CheckRule(check="pattern", paths=("note",), severity="flag", params={"pattern": r"\w+"}),
        CheckRule(check="pattern", paths=("note",), severity="flag", params={"pattern": "[a-z]+"}),
    )
    made = explained(schema, view, checks=checks)
    engine = native_inbox(
        inbox_program(local.inbox(schema).model_copy(update={"checks": checks}), [view], "LIVE", 3), local.KEYS
    )
    body = local.encode(schema, local.event())

    assert isinstance(engine, NativeInbox)
    assert [check.native for check in made.checks] == [False, True]
    assert not engine.proves(body, NOW_MS)
    assert [line for line in made.views[0].deferred if "every event but annulments" in line]


@needs_native
def test_what_is_left_over_for_an_operation_is_left_over() -> None:
    """A pseudonym of a text beyond ASCII, and a sealed value where an array came in two blocks; nothing else is."""
    schema = local.schema_of()
    view = local.view(schema, {"note": "pseudonym", "weight": "encrypt"})
    [made] = explained(schema, view).views
    engine = native_inbox(inbox_program(local.inbox(schema), [view], "SYNTHETIC", 3), local.KEYS)
    assert isinstance(engine, NativeInbox)
    plain = local.encode(schema, local.event(note="remark", identifiers=[]))
    beyond = local.encode(schema, local.event(note="Zoë"))

    assert {op.path for op in made.body if op.deferred} == {"note", "weight"}
    assert engine.project(plain, 0) is not None
    assert engine.project(beyond, 0) is None


def test_no_filter_or_check_names_a_field_that_is_passed_over() -> None:
    """What the scan passes over is named by nothing; what a view takes is noted."""
    schema = local.schema_of()
    made = explained(schema, local.view(schema, {"note": "keep"}))

    assert "note" in made.noted
    assert {"weight", "postcode", "person"} <= set(made.passed_over)


def test_a_repr_and_the_json_hold_no_one_of_an_interest_list() -> None:
    """Who is on it is nobody's business: only that there is one."""
    schema = local.schema_of()
    view = local.view(schema, {"note": "keep"}, interest=("v1.secretsecretsecret",))
    made = explained(schema, view)

    assert made.views[0].interest_list
    assert "secret" not in repr(made)
    assert replace(made) == made
    assert generated_projector(local.inbox(schema), [view], local.KEYS, 3)


def _told(ops: tuple[OpExplained, ...]) -> list[tuple[str, str]]:
    return [pair for op in ops for pair in [(op.path, op.how), *_told(op.parts)] if op.cost in CLASSES]


def _run(ops: tuple[Op, ...]) -> list[tuple[str, str]]:
    return [pair for op in ops for pair in [(op.path, op.how), *_run(op.children)]]
