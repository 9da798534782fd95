"""A call of the client is bounded: what it returns and raises passes, and one that does not return is left behind."""

from __future__ import annotations

import threading

import pytest

from tidings.errors import Fatal
from tidings.kafka.bounded import bounded
from tidings.kafka.errors import ClientStuck


def test_what_the_call_does_passes() -> None:
    """Its result, or its error, as if it had been called here."""

    def failing() -> int:
        raise Fatal("refused")

    assert bounded(lambda: 5, 30, "asking") == 5
    with pytest.raises(Fatal, match="refused"):
        bounded(failing, 30, "asking")


def test_a_call_that_does_not_return() -> None:
    """Fatal, with the exit code of what may be tried again by a new process."""
    let_go = threading.Event()
    with pytest.raises(ClientStuck, match="asking: the client does not return") as stuck:
        bounded(let_go.wait, 0.01, "asking")
    let_go.set()

    assert stuck.value.exit_code == 75
