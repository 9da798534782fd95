"""Declared cleansing: the few changes of values that a connector makes, each by a named rule and said of each field.

A connector runs `cleanse` on an event before it derives any id from it. What is not declared in its `spec` is never
changed: the publisher owns its data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from connectors.sources.base import Cleansing, CleansingRule

KINGDOM: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        ("ENGLAND", "SCOTLAND", "WALES", "NORTHERN IRELAND", "GREAT BRITAIN", "UNITED KINGDOM", "UK", "GBR"), "GB"
    )
)
"""Names that a country stands under in real files, upper case, to the country register's key. `GBR` is ISO 3166-1
alpha-3, the others are the parts of the kingdom, which the register does not hold."""

WHITE_SPACE = CleansingRule(
    "white-space", "runs of spaces, tabs and line ends within a text become one space; none stays at either end"
)
COUNTRY = CleansingRule("country-of-the-kingdom", f"{', '.join(KINGDOM)}, in either case, become GB in an address")
NHS_NUMBER = CleansingRule("nhs-number-spaces", "spaces and hyphens inside an NHS number are taken out")

_RUNS = re.compile(r"\s+")
_PRINTED_NUMBER = re.compile(r"[0-9][0-9 -]*\Z")


def cleanse(event: dict[str, Any], rules: tuple[CleansingRule, ...]) -> tuple[Cleansing, ...]:
    """Apply `rules` to an event, in place. Returns what was changed: dotted field (arrays crossed without a sign) and
    rule, in the order of the fields, each once."""
    return tuple(dict.fromkeys(_record(event, "", frozenset(rules))))


def _record(record: dict[str, Any], path: str, rules: frozenset[CleansingRule]) -> Iterator[Cleansing]:
    for name, value in record.items():
        inner = f"{path}.{name}" if path else name
        if isinstance(value, str):
            for rule, changed in _text(record, name, value, rules):
                record[name] = changed
                yield Cleansing(inner, rule.name)
        elif isinstance(value, dict):
            yield from _record(value, inner, rules)
        elif isinstance(value, list):
            yield from _items(value, inner, rules)


def _items(items: list[Any], path: str, rules: frozenset[CleansingRule]) -> Iterator[Cleansing]:
    for at, value in enumerate(items):
        if isinstance(value, str):
            for rule, changed in _text({}, "", value, rules):
                items[at] = changed
                yield Cleansing(path, rule.name)
        elif isinstance(value, dict):
            yield from _record(value, path, rules)


def _text(
    record: Mapping[str, Any], name: str, value: str, rules: frozenset[CleansingRule]
) -> Iterator[tuple[CleansingRule, str]]:
    """Each rule that changes a text of `record`, with what the text then is."""
    plain = _RUNS.sub(" ", value).strip() if WHITE_SPACE in rules else value
    if plain != value:
        yield WHITE_SPACE, plain
    if COUNTRY in rules and name == "country" and "lines" in record and plain.upper() in KINGDOM:
        yield COUNTRY, KINGDOM[plain.upper()]
    if NHS_NUMBER in rules and name == "value" and record.get("scheme") == "nhs_number":
        digits = plain.replace(" ", "").replace("-", "")
        if digits != plain and _PRINTED_NUMBER.match(plain) is not None:
            yield NHS_NUMBER, digits
