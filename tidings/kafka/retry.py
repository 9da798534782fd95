"""The one retry helper: the same call again while our error says so and a budget of time lasts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from confluent_kafka import KafkaException

from tidings.clock import Clock, Deadline
from tidings.errors import Retriable
from tidings.kafka.errors import error_of, translate

T = TypeVar("T")

FIRST_BACKOFF_S = 0.005
LAST_BACKOFF_S = 0.5


def retry(call: Callable[[], T], doing: str, deadline: Deadline, clock: Clock) -> T:
    """What `call` returns, called again with doubling back-off while it raises Retriable (its own, or a client's error
    that translates to it).

    Args: `doing` goes into the error's text. Raises: the last Retriable once `deadline` is used up; Abortable and Fatal
    at once. The first call is made even where the budget is already empty.
    """
    backoff = FIRST_BACKOFF_S
    while True:
        try:
            return attempt(call, doing)
        except Retriable:
            if deadline.expired():
                raise
        clock.sleep(min(backoff, deadline.remaining()))
        backoff = min(backoff * 2, LAST_BACKOFF_S)


def attempt(call: Callable[[], T], doing: str) -> T:
    """What `call` returns. Raises our error where the client raises its own."""
    try:
        return call()
    except KafkaException as exception:
        failure = translate(error_of(exception), doing)
    raise failure


def answer(future: Future[T], seconds: float, doing: str) -> T:
    """What the client's `future` gives; what it raises passes.

    Args: `seconds` is the time-out that the client was given, which it may miss: Raises Retriable after twice as long.
    """
    try:
        return future.result(2 * seconds)
    except TimeoutError:
        raise Retriable(f"{doing}: the client does not answer") from None
