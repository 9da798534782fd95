"""Which executor a worker runs, and that it says so."""

from __future__ import annotations

import pytest

from stream_processors import executors as chosen
from stream_processors.executors import AUTO, KINDS, NATIVE, PYTHON, REFERENCE, executors
from tests.stream_processors.world import INBOX, KEYS, World, by_native, policy
from tidings.projection.explain import NOT_BUILT, STOPPED
from tidings.projection.native import native_version

needs_native = pytest.mark.skipif(native_version() is None, reason="the native extension is not built")


def test_a_worker_says_who_projects_and_why_not_native() -> None:
    """Of every inbox of its policy."""
    made = World().make().executors()

    assert made == {INBOX: {"executor": "python", "why_not_native": "nobody asked for it"}}


@needs_native
def test_a_native_worker_says_so_unless_the_publisher_is_stopped() -> None:
    """A stopped publisher's events are refused by Python, and this is the reason given."""
    first = policy()
    stopped = first.model_copy(
        update={"inboxes": tuple(each.model_copy(update={"stopped": True}) for each in first.inboxes)}
    )

    assert World(native=by_native).make().executors() == {INBOX: {"executor": "native", "why_not_native": ""}}
    assert World(stopped, native=by_native).make().executors()[INBOX] == {
        "executor": "python", "why_not_native": STOPPED
    }  # fmt: skip


@pytest.mark.parametrize("kind", [PYTHON, REFERENCE, AUTO])
def test_the_reason_is_what_was_asked_for_or_what_is_missing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting, by its name, or that the extension is not built."""
    monkeypatch.setattr(chosen, "native_version", lambda: None)
    made = executors(KEYS, kind)
    why = made.native(policy(), policy().inboxes[0], ())

    assert why == (NOT_BUILT if kind == AUTO else f"TIDINGS_PROJECTION is {kind}")
    assert made.behind == (REFERENCE if kind == REFERENCE else PYTHON)
    assert {NATIVE, made.behind} <= set(KINDS)
