"""What the Kafka client would write to standard error by itself, as events of our own log.

The client's text can hold others' text (addresses, group members, a broker's message), so it never crosses: said is
which client, which kind of event, and reasons out of a closed list. Source: confluent-kafka 2.16.1, `log_cb`: it calls
`logger.log(level, "%s [%s] %s", facility, client, text)`, from within a poll.
"""

from __future__ import annotations

import logging
import re

import structlog

_log = structlog.get_logger(__name__)

_FACILITY = re.compile(r"[A-Z_]{1,20}\Z")
_CLIENT = re.compile(r"[a-z0-9-]+#(?:consumer|producer)-[0-9]+\Z")

# What an operator can act on, as librdkafka 2.16 words it.
_REASONS = (
    "connection refused",
    "connection reset",
    "connect timeout",
    "connection setup timed out",
    "disconnected",
    "timed out",
    "host resolution failure",
    "authentication failed",
    "ssl handshake failed",
    "certificate verify failed",
    "authorization failed",
    "fenced",
    # It is aborted, and read and decided again.
    "current transaction failed",
    # Passing, at the first transaction after a broker's start.
    "coordinator load in progress",
    "coordinator not available",
    "not coordinator",
    "concurrent transactions",
)


class _ToStructlog(logging.Handler):
    """Takes the client's three parts apart and passes on what is ours to say."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`. Raises nothing: it is called from within the client."""
        facility, client, text = record.args if isinstance(record.args, tuple) and len(record.args) == 3 else ("",) * 3
        lowered = str(text).lower()
        why = [reason for reason in _REASONS if reason in lowered]
        _log.log(
            record.levelno,
            "kafka client",
            kind=_known(_FACILITY, str(facility)),
            client=_known(_CLIENT, str(client)),
            why=", ".join(why) or "unknown",
        )


def _known(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.match(text) else "unknown"


def _logger() -> logging.Logger:
    # Not registered: whoever hangs a handler on every logger by name would have the client's text.
    made = logging.Logger("tidings.kafka.client", logging.WARNING)  # noqa: LOG001
    made.addHandler(_ToStructlog())
    return made


CLIENT_LOGGER = _logger()
"""What every client of ours is given as `logger`."""
