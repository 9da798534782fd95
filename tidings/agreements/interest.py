"""Read an interest list: the subjects that an agreement is about, one a line.

A line is `scheme:value` (made-up subjects only: it is a clear value) or a feed key (`v1.…`) that the exchange made for
the subscriber. Empty lines and lines that begin with `#` say nothing. A problem names the line, never its text.
"""

from __future__ import annotations

import re
from pathlib import Path

from tidings.errors import BadInput, Problem

FEED_KEY = re.compile(r"v[1-9][0-9]*\.[a-z2-7]{26,32}\Z")
_SUBJECT = re.compile(r"[a-z][a-z0-9_]*:\S.*\Z")


def read_interest(path: Path) -> tuple[str, ...]:
    """The lines of the list, sorted, each once. Raises BadInput with every bad line."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadInput([Problem(str(path), 0, "", "interest-list-missing", "cannot be read as UTF-8 text")]) from None
    kept: set[str] = set()
    problems = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if FEED_KEY.match(text) or _SUBJECT.match(text):
            kept.add(text)
        else:
            problems.append(Problem(str(path), number, "", "interest-list-line", "must be scheme:value or a feed key"))
    if problems:
        raise BadInput(problems)
    return tuple(sorted(kept))


def is_feed_key(line: str) -> bool:
    """Whether a line is a feed key already, and no clear value."""
    return FEED_KEY.match(line) is not None
