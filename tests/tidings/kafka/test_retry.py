"""The one retry helper and the translation of errors: by what the caller does, never with a value."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from tests.tidings.kafka.kit import PlainCluster
from tidings.clock import Deadline, StillClock
from tidings.errors import Fatal, Retriable, TidingsError
from tidings.kafka.errors import Abortable, Fenced, Overdue, translate
from tidings.kafka.groups import Groups
from tidings.kafka.read import LogReader
from tidings.kafka.retry import answer, retry
from tidings.log import Partition


def test_retriable_is_called_again_until_it_succeeds() -> None:
    """The same call is made again, with back-off, while the budget lasts."""
    clock = StillClock()
    calls: list[float] = []

    def call() -> str:
        calls.append(clock.monotonic())
        if len(calls) < 4:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return "done"

    assert retry(call, "trying", Deadline(clock, 5), clock) == "done"
    assert len(set(calls)) == 4


def test_the_budget_ends() -> None:
    """Once the budget is used up, the last Retriable is raised."""
    clock = StillClock()

    def call() -> None:
        raise Retriable("away")

    with pytest.raises(Retriable, match="away"):
        retry(call, "trying", Deadline(clock, 5), clock)
    assert clock.monotonic() >= StillClock().monotonic() + 5


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError._FENCED, Fenced),
        (KafkaError.PRODUCER_FENCED, Fenced),
        (KafkaError.FENCED_INSTANCE_ID, Fenced),
        (KafkaError.INVALID_TXN_STATE, Overdue),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, Fatal),
        (KafkaError.MSG_SIZE_TOO_LARGE, Fatal),
        (KafkaError.UNKNOWN, Fatal),
        (KafkaError.ILLEGAL_GENERATION, Abortable),
        (KafkaError.STALE_MEMBER_EPOCH, Abortable),
        (KafkaError._MSG_TIMED_OUT, Abortable),
        (KafkaError._PURGE_QUEUE, Abortable),
        (KafkaError._PURGE_INFLIGHT, Abortable),
        (KafkaError._TIMED_OUT, Retriable),
        (KafkaError._NOENT, Retriable),
        (KafkaError.FENCED_LEADER_EPOCH, Retriable),
        (KafkaError.UNKNOWN_LEADER_EPOCH, Retriable),
        (KafkaError.OFFSET_NOT_AVAILABLE, Retriable),
        (KafkaError.UNSTABLE_OFFSET_COMMIT, Retriable),
        (KafkaError.COORDINATOR_NOT_AVAILABLE, Retriable),
    ],
)
def test_errors_by_what_the_caller_does(code: int, kind: type[TidingsError]) -> None:
    """Each code becomes the class that says what happens next; the text is a name, never the client's words."""
    failure = translate(KafkaError(code, "a marked value"), "trying")

    assert type(failure) is kind
    assert "marked" not in str(failure)
    assert str(failure) == f"trying: {KafkaError(code).name()}"


@pytest.mark.parametrize("code", [KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN])
def test_no_broker_is_said_in_words(code: int) -> None:
    """Whoever has no stack up reads so, with the command that shows it; the text still ends with the code's name."""
    text = str(translate(KafkaError(code, "a marked value"), "listing topics"))

    assert text.startswith("listing topics: no broker answers, `tidings status` says what runs: ")
    assert text.endswith(KafkaError(code).name())
    assert "marked" not in text


def test_a_client_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time-out that the client was given and misses holds nobody up: not who asks for a group's members either."""
    silent: Future[Any] = Future()
    monkeypatch.setattr("tidings.kafka.groups.CALL_S", 0.01)
    monkeypatch.setattr("tidings.kafka.groups.AdminClient", lambda _config: Silent(silent))
    groups = Groups(PlainCluster("127.0.0.1:1"), "admin")

    with pytest.raises(Retriable, match="asking: the client does not answer"):
        answer(silent, 0.01, "asking")
    with pytest.raises(Retriable, match="listing groups: the client does not answer"):
        groups.names()
    with pytest.raises(Retriable, match="describing groups: the client does not answer"):
        groups.members(["a"])


@dataclass
class Silent:
    """An AdminClient whose futures stay open."""

    future: Future[Any]

    def list_consumer_groups(self, **_options: Any) -> Future[Any]:
        """See AdminClient."""
        return self.future

    def describe_consumer_groups(self, names: list[str], **_options: Any) -> dict[str, Future[Any]]:
        """See AdminClient."""
        return dict.fromkeys(names, self.future)


class _Stale:
    """An AdminClient that asks whom it took for the leader, until it is asked for the topic itself."""

    def __init__(self) -> None:
        self.asked = 0
        self.learnt: list[str] = []

    def list_offsets(self, asked: dict[Any, Any], **_more: Any) -> dict[Any, Future[Any]]:
        """Refused, or 7 for each."""
        self.asked += 1
        future: Future[Any] = Future()
        if self.learnt:
            future.set_result(Found(7))
        else:
            future.set_exception(KafkaException(KafkaError(KafkaError.FENCED_LEADER_EPOCH)))
        return dict.fromkeys(asked, future)

    def list_topics(self, topic: str, timeout: float) -> None:  # noqa: ARG002 - the client's
        """It knows from now on."""
        self.learnt.append(topic)


@dataclass
class Found:
    """What the client gives of one partition."""

    offset: int


def test_a_reader_learns_who_leads_where_a_broker_was_restarted() -> None:
    """The client itself would ask the one before for minutes, and the worker stand still: seen on three brokers."""
    admin = _Stale()
    with LogReader(PlainCluster("localhost:1"), "admin", StillClock()) as reader:  # type: ignore[arg-type]
        reader._admin = admin  # type: ignore[assignment]
        assert reader.ends([Partition("exchange.decisions", 3)]) == {Partition("exchange.decisions", 3): 7}

    assert (admin.asked, admin.learnt) == (2, ["exchange.decisions"])
