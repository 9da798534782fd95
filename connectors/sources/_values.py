"""What no value of an event may be, whichever format it came in: hidden control characters, and formulas.

A formula is text that a spreadsheet computes when a reader opens a report made of it: it begins, after spaces, with
`=` or `@`, or with `+` or `-` where no number follows; the full-width signs count too. It is refused, not repaired: a
value is the publisher's. Source: OWASP, "CSV Injection" (2025); Unicode 16, C0 and C1 controls and bidirectional
overrides (Unicode TR 36, "Bidirectional Text Spoofing").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

CONTROL, FORMULA = "control-character", "formula"
MESSAGES: Mapping[str, str] = {
    CONTROL: "the value holds a character that cannot be seen: a control, or an override of the writing direction",
    FORMULA: "a spreadsheet would compute the value: it begins with =, @, or + or - without a number",
}

_HIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff"
_CONTROL = re.compile(f"[{_HIDDEN}]")
_CONTROL_OR_BREAK = re.compile(f"[\t\r\n{_HIDDEN}]")
_FORMULA = re.compile(
    r"\s*(?:[=@\uff1d\uff20]|[+\-\uff0b\uff0d](?![0-9 ().:\-]*\Z))"
)  # a lone sign, a number, a telephone number and an offset from UTC compute nothing

_SUSPECTS = (b"\\", b"\x7f", b'" ', b'"=', b'"@', b'"+', b'"-')
_OFFSET = re.compile(rb'"[+-][0-9]{2}:[0-9]{2}"')  # an offset from UTC, which every FHIR time has


def may_be_unsafe(content: bytes) -> bool:
    """Whether an event's canonical JSON may hold an unsafe text: false only where `unsafe_fields` finds nothing. Of
    plain ASCII it tells in a fiftieth of the walk's time; the walk then decides."""
    if not content.isascii():
        return True
    suspected = any(suspect in content for suspect in _SUSPECTS)
    return suspected and any(suspect in _OFFSET.sub(b'""', content) for suspect in _SUSPECTS)


def unsafe(text: str, *, line_breaks: bool = True) -> str | None:
    """The rule that a value breaks (`control-character`, `formula`), or None. Tabs and line ends pass with
    `line_breaks` only."""
    if (_CONTROL if line_breaks else _CONTROL_OR_BREAK).search(text) is not None:
        return CONTROL
    return FORMULA if _FORMULA.match(text) is not None else None


def unsafe_fields(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each unsafe text of an event as its dotted path (arrays crossed without a sign) and its rule."""
    yield from _walk(event, "")


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        rule = unsafe(value)
        if rule is not None:
            yield path, rule
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, path)
