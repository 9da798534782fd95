"""A text has the form that a pattern gives, from its first character to its last."""

from __future__ import annotations

import re
from typing import Any

from tidings.checks.base import EachValue, Example, Params, ReferenceLists
from tidings.errors import ReasonCode

MAX_CHARACTERS = 1_000
"""A longer text is refused unread: no pattern of ours needs one, and backtracking stays bounded."""


class PatternParams(Params):
    """`pattern` is a Python regular expression; it must match the whole text."""

    pattern: str


class Pattern(EachValue):
    """ASCII classes only: `\\d` is 0-9 and no other script's digit."""

    name = "pattern"
    code = ReasonCode.PATTERN_MISMATCH
    summary = f"The whole text matches the pattern and has at most {MAX_CHARACTERS} characters."
    params_model = PatternParams
    takes = frozenset({"string"})
    accepts = (Example(("postcode",), {"pattern": "[A-Z0-9 ]{5,8}"}, {"postcode": "SW1A 2AA"}),)
    refuses = (
        Example(("postcode",), {"pattern": "[A-Z0-9 ]{5,8}"}, {"postcode": "sw1a 2aa"}, ("postcode",)),
        Example(("postcode",), {"pattern": "[A-Z0-9 ]{5,8}"}, {"postcode": "SW1A 2AA\n"}, ("postcode",)),
        Example(("number",), {"pattern": "\\d+"}, {"number": "\u0661\u0662"}, ("number",)),
    )

    def _set_up(self, paths: tuple[str, ...], params: Any, lists: ReferenceLists) -> None:
        del paths, lists
        try:
            self._pattern = re.compile(params.pattern, re.ASCII)
        except re.error:
            raise ValueError("params.pattern is not a regular expression") from None

    def _holds(self, value: Any, now_ms: int) -> bool:
        del now_ms
        return isinstance(value, str) and len(value) <= MAX_CHARACTERS and self._pattern.fullmatch(value) is not None
