"""A call of the client is bounded: what it returns and raises passes, and one that does not return is left behind."""

from __future__ import annotations

import threading

import pytest

from tidings.errors import Fatal
from tidings.kafka.bounded import Bounded
from tidings.kafka.errors import ClientStuck


def test_what_the_call_does_passes() -> None:
    """Its result, or its error, as if it had been called here."""

    def failing() -> int:
        raise Fatal("refused")

    def timing_out() -> int:
        raise TimeoutError("its own")

    bounded = Bounded()
    assert bounded.call(lambda: 5, 30, "asking") == 5
    with pytest.raises(Fatal, match="refused"):
        bounded.call(failing, 30, "asking")
    with pytest.raises(TimeoutError, match="its own"):
        bounded.call(timing_out, 30, "asking")


def test_a_call_that_does_not_return() -> None:
    """Fatal, with the exit code of what may be tried again by a new process; its thread is left, others are kept."""
    let_go, bounded = threading.Event(), Bounded()
    first = bounded.call(threading.get_ident, 30, "asking")
    with pytest.raises(ClientStuck, match="asking: the client does not return") as stuck:
        bounded.call(let_go.wait, 0.01, "asking")
    second = bounded.call(threading.get_ident, 30, "asking")
    assert bounded.call(threading.get_ident, 30, "asking") == second != first
    let_go.set()

    assert stuck.value.exit_code == 75


def test_its_thread_ends_with_it() -> None:
    """A worker that was closed leaves no thread behind."""
    bounded = Bounded()
    [thread] = [bounded.call(threading.current_thread, 30, "asking")]
    del bounded
    thread.join(30)

    assert not thread.is_alive()
