"""The account of a published file: what became of every record, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from commands._reasons import REASONS
from commands._terminal import json_line, printable
from producers.journal import Decision, Fate, JournalRecord
from tidings.errors import BadInput, Finding, Problem, Quarantine, Retriable, Severity

SHOWN = 50
"""How many refusals are printed one by one; all of them are counted."""

_MEANINGS = {
    Decision.ACCEPTED: "accepted",
    Decision.FLAGGED: "accepted, flagged",
    Decision.REJECTED: "rejected",
    Decision.DUPLICATE: "sent before",
    Decision.QUARANTINED: "quarantined",
}


@dataclass
class FileAccount:
    """One file's account. records = published + refused records + set aside; a refusal of the file itself counts
    apart, and so does what stands `beside` the records (a register's root hash). published = the sum of `decisions` +
    `undecided`."""

    file: str
    source: str
    records: int = 0
    published: int = 0
    cleansed: int = 0
    refused: int = 0
    refused_records: int = 0
    undecided: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    decisions: Counter[Decision] = field(default_factory=Counter)
    said: dict[Decision, Counter[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def take(self, record: JournalRecord) -> None:
        """Count one record."""
        self.records += record.number > 0
        self.cleansed += bool(record.cleansed)
        if record.fate is Fate.SET_ASIDE:
            (self.set_aside if record.number else self.beside)[record.kind] += 1
        elif record.fate is Fate.REFUSED:
            self._refuse(record)
        else:
            self._publish(record)

    def _refuse(self, record: JournalRecord) -> None:
        self.refused += 1
        self.refused_records += record.number > 0
        if record.problem is not None:
            self.reasons[record.problem.rule] += 1
            self._show(record.problem)
        for finding in record.findings:
            if finding.severity is Severity.REJECT:
                self.reasons[finding.code.value] += 1
            said = "refused" if finding.severity is Severity.REJECT else "flagged"
            self._show(self._problem(record, finding, f"is {said}"))

    def _publish(self, record: JournalRecord) -> None:
        self.published += 1
        for flag in record.findings:
            self.flags[flag.code.value] += 1
            if record.decision is None:
                self._show(self._problem(record, flag, "is flagged"))
        if record.decision is None:
            self.undecided += 1
            return
        self.decisions[record.decision] += 1
        reasons = self.said.setdefault(record.decision, Counter())
        for finding in record.said:
            reasons[finding.code.value] += 1
            self._show(self._problem(record, finding, f"is {_MEANINGS[record.decision]} by the exchange"))

    def _problem(self, record: JournalRecord, finding: Finding, said: str) -> Problem:
        return Problem(
            self.file,
            record.line,
            finding.path,
            finding.code.value,
            f"record {record.number} {said}: {REASONS[finding.code]}",
        )

    def _show(self, problem: Problem) -> None:
        if len(self.problems) < SHOWN:
            self.problems.append(problem)

    def exit_code(self, *, waited: bool) -> int:
        """What the command ends with: 65 where a record was refused or rejected, else 70 where one is in quarantine,
        else 75 where the exchange has not decided yet and was waited for, else 0."""
        if self.refused or self.decisions[Decision.REJECTED]:
            return BadInput.exit_code
        if self.decisions[Decision.QUARANTINED]:
            return Quarantine.exit_code
        return Retriable.exit_code if waited and self.undecided else 0

    def as_json(self, *, dry_run: bool) -> dict[str, Any]:
        """The account as data; the same names as printed, in the same order."""
        decided = {
            each.value: {
                "records": self.decisions[each],
                "reasons": dict(sorted(self.said.get(each, Counter()).items())),
            }
            for each in Decision
        }
        return {
            "file": self.file,
            "source": self.source,
            "dry_run": dry_run,
            "records": self.records,
            "published": self.published,
            "flagged_here": dict(sorted(self.flags.items())),
            "refused": {
                "records": self.refused_records,
                "all": self.refused,
                "reasons": dict(sorted(self.reasons.items())),
            },
            "set_aside": dict(sorted(self.set_aside.items())),
            "beside": dict(sorted(self.beside.items())),
            "cleansed": self.cleansed,
            "exchange": decided | {"undecided": self.undecided},
            "problems": [
                {"line": each.line, "field": each.field, "rule": each.rule, "message": each.message}
                for each in self.problems
            ],
        }


def account_of(file: str, source: str, records: Iterable[JournalRecord]) -> FileAccount:
    """The account of a file's records."""
    account = FileAccount(file, source)
    for record in records:
        account.take(record)
    return account


def print_account(account: FileAccount, *, dry_run: bool, note: str = "", as_json: bool = False) -> None:
    """Print an account to standard output, and what was refused or flagged to standard error, each with its reason."""
    from rich.console import Console

    if as_json:
        Console(soft_wrap=True, highlight=False).print(json_line(account.as_json(dry_run=dry_run)), markup=False)
        return
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    for problem in account.problems:
        errors.print(printable(str(problem)), markup=False)
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"{printable(account.file)} ({account.source}){f': {note}' if note else ''}", markup=False)
    for name, count, why in _lines(account, dry_run=dry_run):
        out.print(f"  {name:<20} {count:>9}  {why}".rstrip(), markup=False)


def _lines(account: FileAccount, *, dry_run: bool) -> Iterable[tuple[str, int, str]]:
    yield "records", account.records, f"{account.cleansed} cleansed" if account.cleansed else ""
    yield ("would be published" if dry_run else "published"), account.published, _why(account.flags, "flagged ")
    yield "refused here", account.refused, _why(account.reasons)
    yield "set aside", sum(account.set_aside.values()), _why(account.set_aside)
    if account.beside:
        yield "beside the records", sum(account.beside.values()), _why(account.beside)
    if dry_run or not account.published:
        return
    if not account.decisions:
        yield "not yet decided", account.undecided, "ask with --wait"
        return
    for decision, meaning in _MEANINGS.items():
        if account.decisions[decision] or decision is Decision.ACCEPTED:
            yield f"  {meaning}", account.decisions[decision], _why(account.said.get(decision, Counter()))
    if account.undecided:
        yield "  not yet decided", account.undecided, "ask again with --wait"


def _why(counts: Counter[str], before: str = "") -> str:
    return ", ".join(f"{before}{reason} x{count}" for reason, count in sorted(counts.items()))
