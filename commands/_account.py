"""The account of published files: what became of every record, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from commands._terminal import printable
from tidings.errors import Finding, Problem, Reject, Severity

if TYPE_CHECKING:
    from connectors.sources.base import Outcome
    from producers.publisher import EventPublisher

SHOWN = 50
"""How many refusals are printed one by one; all of them are counted."""


@dataclass
class FileAccount:
    """One file's account. records = published + refused records + set aside; a refusal of the file itself counts
    apart."""

    file: str
    source: str
    records: int = 0
    published: int = 0
    cleansed: int = 0
    refused: int = 0
    refused_records: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def take(self, outcome: Outcome, publisher: EventPublisher) -> None:
        """Count one record, publishing it where it is an event. Raises as `EventPublisher.publish`, but for Reject."""
        from connectors.sources.base import RefusedRecord, SetAsideRecord

        if isinstance(outcome, SetAsideRecord):
            self.records += outcome.number > 0
            self.set_aside[outcome.kind] += 1
            return
        if isinstance(outcome, RefusedRecord):
            self.records += outcome.number > 0
            self._refuse(outcome.number > 0, outcome.problem, outcome.problem.rule)
            return
        self.records += 1
        self.cleansed += bool(outcome.cleansed)
        try:
            flags: tuple[Finding, ...] = publisher.publish(outcome.event_type, outcome.event)
        except Reject as reject:
            self.refused += 1
            self.refused_records += 1
            for finding in reject.findings:
                if finding.severity is Severity.REJECT:
                    self.reasons[finding.code.value] += 1
                self._show(
                    Problem(self.file, outcome.line, finding.path, finding.code.value, _said(outcome.number, finding))
                )
            return
        self.published += 1
        for flag in flags:
            self.flags[flag.code.value] += 1
            self._show(Problem(self.file, outcome.line, flag.path, flag.code.value, _said(outcome.number, flag)))

    def _refuse(self, is_record: bool, problem: Problem, reason: str) -> None:
        self.refused += 1
        self.refused_records += is_record
        self.reasons[reason] += 1
        self._show(problem)

    def _show(self, problem: Problem) -> None:
        if len(self.problems) < SHOWN:
            self.problems.append(problem)


def _said(number: int, finding: Finding) -> str:
    return f"record {number} is {'refused' if finding.severity is Severity.REJECT else 'flagged'}"


def print_account(accounts: list[FileAccount], *, dry_run: bool) -> None:
    """Print each file's account to standard output, and its refusals and flags to standard error."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    for account in accounts:
        for problem in account.problems:
            errors.print(printable(str(problem)), markup=False)
    table = Table(title="Account (nothing was sent)" if dry_run else "Account")
    for name in (
        "file",
        "source",
        "records",
        "would publish" if dry_run else "published",
        "refused",
        "set aside",
        "why",
    ):
        table.add_column(name, overflow="fold")
    for each in accounts:
        why = [f"{reason} x{count}" for reason, count in sorted(each.reasons.items())]
        why += [f"flagged {reason} x{count}" for reason, count in sorted(each.flags.items())]
        aside = ", ".join(f"{kind} x{count}" for kind, count in sorted(each.set_aside.items())) or "0"
        numbers = (str(each.records), str(each.published), str(each.refused), aside)
        table.add_row(escape(printable(each.file)), each.source, *numbers, ", ".join(why) or "-")
    Console(soft_wrap=False).print(table)
