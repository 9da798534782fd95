"""The closed table of checks: a name that is not in it is refused when the catalogue is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tidings.checks.base import Check
from tidings.checks.code_in_list import CodeInList
from tidings.checks.date_exists import DateExists
from tidings.checks.date_not_in_future import DateNotInFuture
from tidings.checks.date_order import DateOrder
from tidings.checks.identifier_checksum import IdentifierChecksum
from tidings.checks.not_spreadsheet_date import NotSpreadsheetDate
from tidings.checks.pattern import Pattern
from tidings.checks.required_if import RequiredIf
from tidings.checks.same_subject import SameSubject

CHECKS: Mapping[str, type[Check]] = MappingProxyType(
    {
        check.name: check
        for check in (
            CodeInList,
            DateExists,
            DateNotInFuture,
            DateOrder,
            IdentifierChecksum,
            NotSpreadsheetDate,
            Pattern,
            RequiredIf,
            SameSubject,
        )
    }
)
