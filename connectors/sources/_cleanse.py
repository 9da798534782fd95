"""Declared cleansing: the few changes of values that a connector makes, each by a named rule and said of each field.

A connector runs `cleanse` on an event before it derives any id from it. What is not declared in its `spec` is never
changed: the publisher owns its data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

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
    found: list[Cleansing] = []
    _Cleanser(WHITE_SPACE in rules, COUNTRY in rules, NHS_NUMBER in rules, found).record(event, "")
    return tuple(dict.fromkeys(found))


class _Cleanser(NamedTuple):
    white_space: bool
    country: bool
    nhs_number: bool
    found: list[Cleansing]

    def record(self, record: dict[str, Any], path: str) -> None:
        """Cleanse a record's texts and what is in it."""
        for name, value in record.items():
            if value.__class__ is str:
                plain = self._text(record, name, value, path)
                if plain is not value:
                    record[name] = plain
            elif value.__class__ is dict:
                self.record(value, _joined(path, name))
            elif value.__class__ is list:
                self._items(value, _joined(path, name))

    def _items(self, items: list[Any], path: str) -> None:
        for at, value in enumerate(items):
            if value.__class__ is str:
                items[at] = self._plain(value, path) if self.white_space else value
            elif value.__class__ is dict:
                self.record(value, path)

    def _text(self, record: Mapping[str, Any], name: str, value: str, path: str) -> str:
        """What becomes of one text of a record."""
        plain = self._plain(value, _joined(path, name)) if self.white_space else value
        if name == "country" and self.country and "lines" in record and plain.upper() in KINGDOM:
            self._say(_joined(path, name), COUNTRY, plain, KINGDOM[plain.upper()])
            return KINGDOM[plain.upper()]
        if name == "value" and self.nhs_number and record.get("scheme") == "nhs_number":
            digits = plain.replace(" ", "").replace("-", "")
            if _PRINTED_NUMBER.match(plain) is not None:
                self._say(_joined(path, name), NHS_NUMBER, plain, digits)
                return digits
        return plain

    def _plain(self, value: str, path: str) -> str:
        if value.isalnum():  # most texts: no run to look for
            return value
        plain = _RUNS.sub(" ", value).strip()
        self._say(path, WHITE_SPACE, value, plain)
        return value if plain == value else plain

    def _say(self, path: str, rule: CleansingRule, before: str, after: str) -> None:
        if before != after:
            self.found.append(Cleansing(path, rule.name))


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
