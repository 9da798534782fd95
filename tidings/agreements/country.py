"""A country as data: its agencies and agreements, and where each clause stands in its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tidings.agreements.model import Agency, Agreement
from tidings.agreements.read_yaml import Document, Loc
from tidings.errors import Problem

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Country:
    """Agencies by id, agreements by name and version. `interests` holds the lines of each agreement's interest list."""

    agencies: Mapping[str, Agency]
    agreements: tuple[Agreement, ...]
    documents: Mapping[Key, Document]
    interests: Mapping[Key, tuple[str, ...]] = field(repr=False)

    def find(self, name: str, version: int | None = None) -> Agreement:
        """The agreement called `name`, in its newest version unless told. Raises KeyError where there is none."""
        found = [part for part in self.agreements if part.agreement == name and version in (None, part.version)]
        if not found:
            raise KeyError(name)
        return max(found, key=lambda part: part.version)

    def path(self, agreement: Agreement) -> Path:
        """The file that an agreement stands in."""
        return Path(self.documents[key_of(agreement)].file)

    def problem(self, agreement: Agreement, loc: Loc, rule: str, message: str) -> Problem:
        """One problem at a clause of an agreement's file."""
        return self.documents[key_of(agreement)].problem(loc, rule, message)


def key_of(agreement: Agreement) -> Key:
    """An agreement's name and version, which no two share."""
    return agreement.agreement, agreement.version
