"""How long an agreement holds its views back: `hold: 1h` in the file, seconds in the policy."""

from __future__ import annotations

import re

MAX_HOLD_SECONDS = 7 * 86_400
"""A week: what is held longer is no correction any more, and stands in no topic that its subscriber reads."""

_HOLD = re.compile(r"([1-9][0-9]{0,4})([mhd])\Z")
_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_WORDS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def hold_seconds(text: str) -> int:
    """The seconds of a hold as an agreement writes it: `30m`, `1h`, `2d`. Raises ValueError for anything else, and for
    more than a week."""
    match = _HOLD.match(text)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < seconds <= MAX_HOLD_SECONDS:
        raise ValueError("must be a number of minutes, hours or days, at most a week: 30m, 1h, 2d")
    return seconds


def hold_words(seconds: int) -> str:
    """A hold in words: `1 hour`, `90 minutes`."""
    size, name = next((size, name) for size, name in _WORDS if seconds % size == 0)
    count = seconds // size
    return f"{count} {name}{'s' if count > 1 else ''}"
