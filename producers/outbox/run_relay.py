"""Keeps relays going: after what passes (a database or a broker that is away) one begins again with a new session."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from producers.outbox.database import Connection
from producers.outbox.relay import Relay
from tidings.clock import Clock
from tidings.errors import Retriable
from tidings.kafka.settings import LoopSettings

FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 5.0

WRITER_SETTINGS = LoopSettings(start_budget_ms=8_000, commit_call_ms=2_000, commit_budget_ms=8_000)
"""What a relay's writers are given. A relay begins again by itself, and a new client goes on sooner than one that a
broker's restart left waiting: in librdkafka, what has asked for a coordinator that still loads may never ask again
(issues 5456 and 5511)."""

_log = structlog.get_logger(__name__)


def run_relay(
    connect: Callable[[], Connection],
    make_relay: Callable[[Connection], Relay],
    clock: Clock,
    going_on: Callable[[], bool],
) -> None:
    """Relay until `going_on` says no. Raises Fatal; Retriable only where the first connection cannot be made."""
    connection = connect()
    backoff = FIRST_BACKOFF_S
    while True:
        began = clock.monotonic()
        try:
            _relay(connection, make_relay, going_on)
        except Retriable as failure:
            _log.warning("relay interrupted", why=str(failure))
        else:
            return
        finally:
            connection.close()
        if clock.monotonic() - began > LAST_BACKOFF_S:
            backoff = FIRST_BACKOFF_S
        while True:
            if not going_on():
                return
            clock.sleep(backoff)
            backoff = min(2 * backoff, LAST_BACKOFF_S)
            try:
                connection = connect()
                break
            except Retriable as failure:
                _log.warning("relay waits", why=str(failure))


def run_together(count: int, run: Callable[[Callable[[], bool]], None], going_on: Callable[[], bool]) -> None:
    """Call `run` in `count` threads, each with the question whether to go on: no, once `going_on` says so or another
    thread has failed. Returns when all have; raises what the first one raised that failed."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            run(lambda: going_on() and not failures)
        except BaseException as failure:  # noqa: BLE001 -- raised again by whoever waits
            failures.append(failure)

    threads = [threading.Thread(target=work, name=f"relay-{number}", daemon=True) for number in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if failures:
        raise failures[0]


def _relay(connection: Connection, make_relay: Callable[[Connection], Relay], going_on: Callable[[], bool]) -> None:
    relay = make_relay(connection)
    try:
        relay.run(going_on)
    finally:
        relay.close()
