"""Keeps a relay going: after what passes (a database or a broker that is away) it begins again with a new session."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from producers.outbox.database import Connection
from producers.outbox.relay import Relay
from tidings.clock import Clock
from tidings.errors import Retriable

FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 5.0

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


def _relay(connection: Connection, make_relay: Callable[[Connection], Relay], going_on: Callable[[], bool]) -> None:
    relay = make_relay(connection)
    try:
        relay.run(going_on)
    finally:
        relay.close()
