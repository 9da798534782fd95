"""A broker without the new group protocol: the worker joins again with the classic one, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from tidings.clock import StillClock
from tidings.errors import Fatal
from tidings.kafka.group_protocol import Connector
from tidings.kafka.loop import Loop
from tidings.kafka.settings import GroupProtocol

INBOX = "inbox.gro.death-registered"


class Refusal:
    """What a poll returns where the client has ended for good."""

    def __init__(self, code: int) -> None:
        self._error = KafkaError(code, fatal=True)

    def error(self) -> KafkaError:
        """The error in place of a record."""
        return self._error


class ScriptedConsumer:
    """A client whose broker refuses some protocols with `code`, and which ends the loop once it may read."""

    def __init__(self, protocol: str, refused: set[str], code: int, ready: Callable[[], None]) -> None:
        self._refuses, self._code, self._ready = protocol in refused, code, ready
        self.closed = False

    def consumer_group_metadata(self) -> object:
        """Nothing is committed here."""
        return object()

    def subscribe(self, _topics: list[str], **_callbacks: Any) -> None:
        """Joining is what the first poll answers."""

    def poll(self, _seconds: float) -> Refusal | None:
        """The refusal, or nothing to read."""
        if self._refuses:
            return Refusal(self._code)
        self._ready()
        return None

    def close(self) -> None:
        """Leave."""
        self.closed = True


class ScriptedProducer:
    """Its transactions are initialised; nothing else is asked of it."""

    def init_transactions(self, _seconds: float) -> None:
        """Done."""


class IdleHandler:
    """One inbox and nothing to do."""

    def inboxes(self) -> list[str]:
        """The one."""
        return [INBOX]

    def idle(self, _now_ms: int) -> None:
        """No new policy."""


class Scene:
    """A loop on scripted clients; `opened` are the protocols in the order in which they were tried."""

    def __init__(self, refused: set[str], code: int) -> None:
        self.opened: list[str] = []
        self.consumers: list[ScriptedConsumer] = []

        def connect(protocol: GroupProtocol) -> Any:
            self.opened.append(protocol)
            self.consumers.append(ScriptedConsumer(protocol, refused, code, self.stop))
            return self.consumers[-1]

        connector = Connector(connect, "consumer")
        producer: Any = ScriptedProducer()
        handler: Any = IdleHandler()
        self.loop = Loop(connector, producer, handler, clock=StillClock(), fall_back=connector.fall_back)

    def stop(self) -> None:
        """End the loop after this turn."""
        self.loop.stop()


@pytest.mark.parametrize("code", [KafkaError.UNSUPPORTED_VERSION, KafkaError._UNSUPPORTED_FEATURE])
def test_the_classic_protocol_where_the_new_one_is_not(code: int) -> None:
    """Refused once, the worker closes that consumer, joins with the classic protocol and goes on."""
    scene = Scene({"consumer"}, code)
    scene.loop.run()
    assert scene.opened == ["consumer", "classic"]
    assert all(consumer.closed for consumer in scene.consumers)


def test_the_new_protocol_where_it_is() -> None:
    """A broker that has it is joined with it, and with nothing else."""
    scene = Scene(set(), KafkaError.UNSUPPORTED_VERSION)
    scene.loop.run()
    assert scene.opened == ["consumer"]


def test_neither_protocol_is_fatal() -> None:
    """Refused twice, the worker stops: there is nothing left to try."""
    scene = Scene({"consumer", "classic"}, KafkaError.UNSUPPORTED_VERSION)
    with pytest.raises(Fatal, match="no group protocol"):
        scene.loop.run()
    assert scene.opened == ["consumer", "classic"]


def test_another_fatal_error_does_not_fall_back() -> None:
    """A refusal for another reason stops the worker at once."""
    scene = Scene({"consumer"}, KafkaError.GROUP_AUTHORIZATION_FAILED)
    with pytest.raises(Fatal, match="GROUP_AUTHORIZATION_FAILED"):
        scene.loop.run()
    assert scene.opened == ["consumer"]
