"""What Faust, mode and aiokafka would log, as events of our own log: who warns and how badly, never a word of theirs.

Their texts hold keys and values (`faust/topics.py`, `_on_published`: the whole message).
"""

from __future__ import annotations

import logging

import structlog

_log = structlog.get_logger(__name__)
_LIBRARIES = ("faust", "mode", "aiokafka", "kafka", "asyncio")


class _ToStructlog(logging.Handler):
    """Passes on the logger's name."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        _log.log(record.levelno, "library warns", client=record.name, kind=record.levelname)


def hush_libraries() -> None:
    """From now on each line of theirs from warning on is one line of ours, and none says what it said."""
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers = [_ToStructlog()]
        logger.setLevel(logging.WARNING)
        logger.propagate = False
