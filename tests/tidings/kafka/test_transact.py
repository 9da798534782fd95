"""One transaction against a client that sends what lingers only when it is flushed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from tidings.clock import SystemClock
from tidings.errors import Retriable
from tidings.kafka.clients import producer_config
from tidings.kafka.errors import Abortable, Overdue
from tidings.kafka.settings import LoopSettings
from tidings.kafka.transact import Transactor
from tidings.log import Message, Partition, Position, Transaction

INBOX = Partition("inbox", 0)
SETTINGS = LoopSettings(work_budget_ms=200)


class Delivered:
    """Where the broker put a block."""

    def partition(self) -> int:
        """Of the decisions."""
        return 3

    def offset(self) -> int:
        """The block's."""
        return 7


class Lingering:
    """A producer in which all waits for ever, unless it is flushed; `deaf`, even then. With `error`, so ends all."""

    def __init__(self, *, deaf: bool = False, error: KafkaError | None = None) -> None:
        self.deaf, self.error = deaf, error
        self.calls: list[str] = []
        self._waiting: list[Callable[..., None]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_arguments: self.calls.append(name)

    def produce(self, _topic: str, _value: bytes, _key: bytes, _partition: int, report: Any = None) -> None:
        """Queue it; a report is due where one is asked for."""
        self.calls.append("produce")
        if report is not None:
            self._waiting.append(report)

    def flush(self, _seconds: float) -> int:
        """Send all that lingers."""
        self.calls.append("flush")
        while self._waiting and not self.deaf:
            self._waiting.pop()(self.error, Delivered())
        return len(self._waiting)


class Ended(Lingering):
    """A producer whose transaction the broker has ended."""

    def abort_transaction(self, _seconds: float) -> None:
        """Refuse."""
        raise KafkaException(KafkaError(KafkaError.INVALID_TXN_STATE, "ended", fatal=True))


def transact(producer: Any, reopen: Callable[[], Any] | None = None) -> dict[Partition, str]:
    """The anchors of one transaction: a view and a block."""
    blocks = {INBOX: [Message("decisions", 3, b"", b"block")]}
    work = Transaction([Message("feed", 0, b"key", b"view")], blocks, {INBOX: 5})
    transactor = Transactor(producer, SETTINGS, SystemClock(), lambda _step: None, reopen)
    return transactor.run(work, {INBOX: 5}, {INBOX: Position(INBOX, 0, "genesis")}, object())


def test_nothing_lingers_once_all_is_produced() -> None:
    """The block is flushed before the offsets go."""
    producer = Lingering()
    assert transact(producer) == {INBOX: "3:7"}
    assert producer.calls == [
        "begin_transaction", "produce", "produce", "flush", "send_offsets_to_transaction", "commit_transaction"
    ]  # fmt: skip


def test_what_no_flush_sends_is_aborted_within_the_budget() -> None:
    """No report within the budget: nothing is committed."""
    producer = Lingering(deaf=True)
    with pytest.raises(Abortable, match="no report within the budget"):
        transact(producer)
    assert producer.calls[-1] == "abort_transaction"
    assert "commit_transaction" not in producer.calls


@pytest.mark.parametrize("code", [KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT, KafkaError._MSG_TIMED_OUT])
def test_what_the_client_gives_up_is_aborted(code: int) -> None:
    """A transaction that has failed drops its block: the worker goes on with the same batch."""
    producer = Lingering(error=KafkaError(code))
    with pytest.raises(Abortable, match="delivering a decision block"):
        transact(producer)
    assert producer.calls[-1] == "abort_transaction"


def test_a_transaction_that_the_broker_has_ended_is_read_again_with_a_new_client() -> None:
    """The old one serves no more; the new one takes its name over. The worker lives on, and takes fewer events."""
    again = Lingering()
    with pytest.raises(Abortable, match="no report within the budget"):
        transact(Ended(deaf=True), lambda: again)
    assert again.calls == ["init_transactions"]


def test_after_a_commit_was_asked_for_nobody_goes_on() -> None:
    """What became of it is read from the committed offsets, by the worker's successor."""

    class Refused(Ended):
        """A producer whose commit fails, too."""

        def commit_transaction(self, _seconds: float) -> None:
            """Refuse."""
            raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))

    again = Lingering()
    with pytest.raises(Overdue):
        transact(Refused(), lambda: again)
    assert not again.calls


def test_whoever_opens_no_new_client_ends() -> None:
    """With a code that has a supervisor start it again."""
    with pytest.raises(Overdue) as ended:
        transact(Ended(deaf=True))
    assert ended.value.exit_code == Retriable.exit_code


def test_a_worker_lets_messages_wait_for_each_other() -> None:
    """Its own setting, not the cluster's."""

    class Cluster:
        """As far as a producer's settings need one."""

        deployment = "tidings"

        def producer_config(self, _principal: str) -> dict[str, Any]:
            """What all its clients share."""
            return {"linger.ms": 0}

    assert producer_config(Cluster(), "exchange", 0, LoopSettings(linger_ms=9))["linger.ms"] == 9  # type: ignore[arg-type]
